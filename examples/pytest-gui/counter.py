"""A window with a button that counts; its title says how often."""

from __future__ import annotations

import tkinter


def main() -> None:
    """Show the window until it is closed."""
    window = tkinter.Tk()
    window.geometry("240x120")
    count = tkinter.IntVar()

    def show(*_: object) -> None:
        window.title(f"Counter: {count.get()}")

    count.trace_add("write", show)
    show()
    button = tkinter.Button(window, text="Count", command=lambda: count.set(count.get() + 1))
    button.pack(expand=True, fill="both")
    window.bind("r", lambda _: count.set(0))
    window.mainloop()


if __name__ == "__main__":
    main()
