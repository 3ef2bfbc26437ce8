"""The telephone (Twilio Voice): each webhook is one step of a call, answered in TwiML."""
