"""`make bench`: every benchmark, as one table."""

from bench import open_line


def main() -> None:
    """Run the benchmarks and print the table."""
    print("\nThe open line, end to end on this machine")
    for name, figure in open_line.rows():
        print(f"  {name:<50} {figure}")


if __name__ == "__main__":
    main()
