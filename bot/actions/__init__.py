"""Custom actions: slots → API → words. rasa-sdk imports every module here and registers the actions it finds."""
