"""Help, exit codes, and what the terminal shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import napari_adacs
from napari_adacs.cli import console, program
from napari_adacs.cli.console import ProgressLine
from napari_adacs.errors import InputError
from tests.cli.conftest import Run, Study

SRC = Path(__file__).parents[2] / 'src'
VERBS = ('register', 'warp', 'evaluate', 'train', 'models', 'demo')


def test_help_names_every_verb(run: Run) -> None:
    ran = run('--help')
    assert ran.code == 0
    for verb in VERBS:
        assert f'    {verb} ' in ran.out


@pytest.mark.parametrize(
    'words', [[verb] for verb in VERBS] + [['models', 'show']]
)
def test_every_verb_explains_itself(run: Run, words: list[str]) -> None:
    ran = run(*words, '--help')
    assert ran.code == 0
    assert ' '.join(['usage: napari-adacs', *words]) in ran.out


def test_the_version_is_told(run: Run) -> None:
    ran = run('--version')
    assert ran.out.strip() == f'napari-adacs {napari_adacs.__version__}'


@pytest.mark.parametrize('words', [[], ['dance'], ['register', 'a']])
def test_misuse_is_exit_code_two(run: Run, words: list[str]) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert 'usage: napari-adacs' in ran.err


def python(*words: str, **options: object) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(SRC), os.environ.get('PYTHONPATH', '')])
    return subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, 'PYTHONPATH': path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


HEAVY = """
import sys
from napari_adacs.cli import main
try:
    main(['register', '--help'])
except SystemExit:
    pass
heavy = {'numpy', 'torch', 'napari', 'scipy', 'nibabel', 'qtpy'}
print('loaded:', sorted(heavy & set(sys.modules)))
"""


def test_help_loads_nothing_heavy() -> None:
    out, err = python('-c', HEAVY).communicate()
    assert err == ''
    assert 'loaded: []' in out


def test_the_package_is_a_program() -> None:
    out, _ = python('-m', 'napari_adacs', 'models', '--help').communicate()
    assert 'usage: napari-adacs models' in out


@pytest.mark.parametrize(
    ('error', 'code', 'sentence'),
    [
        (InputError('Wrong.', 'Right it.'), 2, 'Wrong. Right it.'),
        (MemoryError(), 2, 'ran out of memory'),
        (KeyboardInterrupt(), 130, 'Interrupted.'),
    ],
)
def test_failures_become_codes(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    sentence: str,
) -> None:
    def fail(chosen: object) -> int:
        raise error

    monkeypatch.setattr('napari_adacs.cli.models.run_list', fail)
    ran = run('models', 'list')
    assert ran.code == code
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1


def test_bugs_are_not_hidden(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(chosen: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr('napari_adacs.cli.models.run_list', fail)
    with pytest.raises(ZeroDivisionError):
        run('models', 'list')


@pytest.mark.skipif(sys.platform == 'win32', reason='POSIX pipes')
def test_a_reader_that_leaves_is_no_error() -> None:
    process = python('-m', 'napari_adacs', 'models', 'list')
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == ''
    assert process.wait() == 0


@pytest.mark.skipif(sys.platform == 'win32', reason='POSIX signals')
def test_ctrl_c_stops_a_registration(
    study3d: Study, tmp_path: Path, model_folder: Path
) -> None:
    out = tmp_path / 'out'
    lines = (
        'import os, signal, sys\n'
        # a background job is born deaf to Ctrl-C
        'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
        'from napari_adacs.registration import stages\n'
        'def refine_forever(*_, **__):\n'
        '    os.kill(os.getpid(), signal.SIGINT)\n'
        '    while True: pass\n'
        'stages.refine_field = refine_forever\n'
        'from napari_adacs.cli import main\n'
        'sys.exit(main(sys.argv[1:]))\n'
    )
    process = python(
        *('-c', lines, 'register', str(study3d.moving), str(study3d.fixed)),
        *('-o', str(out), '--model', study3d.model, '--refine', '5'),
    )
    _, err = process.communicate(timeout=120)
    assert process.returncode == program.INTERRUPTED, err
    assert err.strip() == 'Interrupted.'
    assert not out.exists()


class Terminal:
    """A stream that says whether it is a terminal."""

    def __init__(self, is_terminal: bool) -> None:
        self.is_terminal = is_terminal
        self.text = ''

    def isatty(self) -> bool:
        return self.is_terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize('is_terminal', [True, False])
def test_progress_is_for_terminals(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    stream = Terminal(is_terminal)
    monkeypatch.setattr(console.sys, 'stderr', stream)
    with ProgressLine() as line:
        line(0.5, 'half')
        line(1.0, 'done')
    assert (stream.text != '') == is_terminal
    if is_terminal:
        assert '50 % half' in stream.text
        assert stream.text.endswith('\r\x1b[K')


def test_sigint_is_what_it_was(run: Run) -> None:
    before = signal.getsignal(signal.SIGINT)
    run('models', 'list')
    assert signal.getsignal(signal.SIGINT) is before
