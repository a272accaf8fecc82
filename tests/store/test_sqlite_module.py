"""Python's SQLite without functools: a stand-in that is gone again, and never in a thread's way."""

import subprocess
import sys

USE = """
connection = sqlite3.connect(':memory:')
answers = [connection.execute('SELECT ? + 1', (number,)).fetchone()[0] for number in range(300)]
assert answers == list(range(1, 301))
"""


def said(code: str) -> str:
    """What Python prints, started without `site`, which may import anything."""
    words = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def test_statements_are_prepared_and_functools_is_not_imported() -> None:
    code = f"from denizen.store.sqlite_module import sqlite3\n{USE}\nprint('functools' in sys.modules)"
    assert said(code) == "False"


def test_whoever_imports_functools_later_gets_python_s_own() -> None:
    code = "import denizen.store.sqlite_module, functools; print(functools.__file__, functools.partial)"
    assert "functools.py <class 'functools.partial'>" in said(code)


def test_the_functools_that_is_imported_already_stays() -> None:
    code = f"import functools\nfrom denizen.store.sqlite_module import sqlite3\n{USE}\n"
    code += "import sys; print(sys.modules['functools'] is functools)"
    assert said(code) == "True"


def test_beside_another_thread_nothing_stands_in() -> None:
    code = """
import _thread
begun, held, ended = [_thread.allocate_lock() for _ in range(3)]
begun.acquire(), held.acquire(), ended.acquire()
_thread.start_new_thread(lambda: (begun.release(), held.acquire(), ended.release()), ())
begun.acquire()
from denizen.store.sqlite_module import _standing_in, sqlite3
held.release(), ended.acquire()
"""
    assert said(f"{code}{USE}\nprint(_standing_in, 'functools' in sys.modules)") == "None True"
