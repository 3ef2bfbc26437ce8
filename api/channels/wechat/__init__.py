"""WeChat Official Account: its callback, its customer-service messages, its menu."""
