"""The parts of the page. Each shows what it is given and posts messages; none reaches upward."""
