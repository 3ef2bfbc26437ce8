"""The agents' pages: server-rendered, live by server-sent events, in Chinese and English."""
