"""`python -m console` is `tierwatch`, also where the command is not on the path."""

from console.start import main

if __name__ == "__main__":
    main()
