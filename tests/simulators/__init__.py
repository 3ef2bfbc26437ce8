"""WeChat's and Twilio's servers and their customers, after the published protocols and independent of our adapters.

They share no code with `api/channels`, so that they check it; `mainsdesk simulate` runs the same by hand.
"""
