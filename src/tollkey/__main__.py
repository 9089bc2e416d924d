"""``python -m tollkey`` is the command line."""

from tollkey.cli import main

if __name__ == "__main__":
    main()
