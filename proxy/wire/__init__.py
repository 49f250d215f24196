"""The only room with sockets: listening, dialling, frames, closing, limits.

It is handed lanes, a detector and a note sink by proxy/process.py and knows nothing of rules or entities.
"""
