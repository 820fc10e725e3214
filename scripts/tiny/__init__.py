"""Parts of the small built-in model's making: words, speech, training data, network, scoring."""
