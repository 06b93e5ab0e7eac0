"""``python -m api``: the command line, where the console script is not on the path."""

from api.cli import main

if __name__ == "__main__":
    main()
