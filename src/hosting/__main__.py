"""`python -m hosting` is `branchline`."""

from hosting.cli.main import main

if __name__ == "__main__":
    main()
