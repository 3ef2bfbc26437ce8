"""Understanding of Chinese and English messages: components for Rasa's graph, and the pure rules that they use."""
