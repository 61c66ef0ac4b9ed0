"""`python -m console` is `tierwatch`, also where the command is not on the path."""

from console.main import main

if __name__ == "__main__":
    main()
