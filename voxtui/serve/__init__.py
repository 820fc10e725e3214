"""voxtui for browsers and other programs: a web page, OpenAI's and vLLM's endpoints."""
