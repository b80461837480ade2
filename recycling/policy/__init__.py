"""Reference facts and the arithmetic on them: frozen values in, values out; no file, database or network."""
