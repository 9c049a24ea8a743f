"""One module per question: its docstring's first line is the question, its `main()` answers it."""
