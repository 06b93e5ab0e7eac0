"""The command line, called as a program calls it."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping

import pytest
from click.testing import CliRunner, Result

from api.cli import LAZY, main
from api.commands import serve
from fieldvisit.database import Urls, plain_url
from fieldvisit.migrating import migrate
from fieldvisit.settings import Settings


@pytest.fixture
def environ(settings: Settings, urls: Urls) -> dict[str, str]:
    return {
        "ENVIRONMENT": "test",
        "DATA_FOLDER": str(settings.data_folder),
        "DATABASE_URL": plain_url(urls.app),
        "DATABASE_OWNER_URL": plain_url(urls.owner),
        "LC_ALL": "C.UTF-8",
    }


def call(environ: Mapping[str, str], *arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), env=dict(environ), input=given)


ADD = ("organisation", "add", "meri-lend", "--kind", "lender", "--country", "FI", "--zone", "Europe/Helsinki")


def test_help_loads_no_command_and_no_solver() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from api.cli import main; "
        "said = CliRunner().invoke(main, ['--help']); "
        "print(said.exit_code, [name for name in ('flask', 'numba', 'ortools', 'osrm') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "0 []"


def test_help_is_read_in_the_readers_language() -> None:
    said = call({"LC_ALL": "zh_CN.UTF-8"}, "--help").output
    assert [name for name, (_, text) in LAZY.items() if text in said] == []
    assert "提供 API 服务。" in said


def test_an_organisation_is_added_once(environ: Mapping[str, str]) -> None:
    first, second = call(environ, *ADD), call(environ, *ADD)
    assert (first.exit_code, second.exit_code) == (0, 1)
    assert second.stderr == "This organisation exists already: the same code. [already_exists]\n"
    in_chinese = call({**environ, "LC_ALL": "zh_CN.UTF-8"}, *ADD)
    assert in_chinese.stderr == "该机构已存在：code 相同。 [already_exists]\n"
    assert "meri-lend" in call(environ, "organisation", "list").output


def test_no_code_is_cut_off_in_a_list_and_no_name_is_markup(environ: Mapping[str, str]) -> None:
    code = "meri-lending-and-collecting-of-the-north"
    called = {"--name": "Meri [/b] [red]", "--kind": "lender", "--country": "FI", "--zone": "Europe/Helsinki"}
    made = call(environ, "organisation", "add", code, *(word for option in called.items() for word in option))
    assert made.exit_code == 0, made.output
    listed = call({**environ, "COLUMNS": "60"}, "organisation", "list").output
    cells = [[cell.strip() for cell in line.split("│")[1:3]] for line in listed.splitlines() if line.startswith("│")]
    shown = ("".join(cell[0] for cell in cells), " ".join(cell[1] for cell in cells))
    assert code in shown[0]
    assert "Meri [/b] [red]" in " ".join(shown[1].split())


def test_a_value_that_means_nothing_is_wrong_usage(environ: Mapping[str, str]) -> None:
    refused = call(environ, *ADD[:-1], "Helsinki")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "zone: must be an IANA time zone, such as Europe/Helsinki [invalid_value]\n",
    )


def test_an_error_is_told_in_chinese(environ: Mapping[str, str]) -> None:
    refused = call(
        {**environ, "LC_ALL": "zh_CN.UTF-8"}, "account", "add", "nobody", "aino", "--role", "admin", "--generate"
    )
    assert (refused.exit_code, refused.stderr) == (1, "找不到编号为 nobody 的机构，或您无权查看。 [not_found]\n")


def test_a_generated_password_is_shown_once_and_logs_in(environ: Mapping[str, str]) -> None:
    call(environ, *ADD)
    made = call(environ, "account", "add", "meri-lend", "aino", "--role", "admin", "--generate")
    assert made.exit_code == 0
    assert made.output.splitlines()[0] == "Added aino to meri-lend."
    assert len(made.output.splitlines()[1].removeprefix("Password, shown this once: ")) == 20


def test_a_password_may_come_from_standard_input(environ: Mapping[str, str]) -> None:
    call(environ, *ADD)
    arguments = ("account", "add", "meri-lend", "aino", "--role", "admin", "--password-stdin")
    assert call(environ, *arguments, given="correct horse battery\n").exit_code == 0
    assert call(environ, *arguments[:3], "eero", *arguments[4:], given="short\n").exit_code == 2


def test_the_schema_goes_away_and_comes_back(environ: Mapping[str, str]) -> None:
    assert call(environ, "migrate", "--to", "base", "--yes").exit_code == 0
    behind = call(environ, "organisation", "list")
    assert (behind.exit_code, "fieldvisit migrate" in behind.stderr) == (75, True)
    assert call(environ, "migrate").exit_code == 0
    assert call(environ, "organisation", "list").exit_code == 0


def test_nothing_is_removed_without_a_yes(environ: Mapping[str, str]) -> None:
    assert call(environ, "migrate", "--to", "base", given="n\n").exit_code == 1
    assert call(environ, "organisation", "list").exit_code == 0


def test_a_database_that_is_away_is_worth_another_try(environ: Mapping[str, str]) -> None:
    away = call({**environ, "DATABASE_URL": "postgresql://x:x@127.0.0.1:1/nowhere"}, "organisation", "list")
    assert (away.exit_code, "[database_unavailable]" in away.stderr) == (75, True)


def test_a_wrong_setting_is_named(environ: Mapping[str, str]) -> None:
    wrong = call({**environ, "PORT": "many"}, "organisation", "list")
    assert (wrong.exit_code, "PORT" in wrong.stderr) == (2, True)


def test_a_server_refuses_an_old_schema_and_a_role_above_the_rules(environ: Mapping[str, str], urls: Urls) -> None:
    migrate(urls, "base")
    refused = call(environ, "serve", "--port", "1")
    assert (refused.exit_code, "[schema_behind]" in refused.stderr) == (75, True)


def test_the_server_keeps_nothing_in_the_home_folder(settings: Settings) -> None:
    server = serve.Server(settings, bind="127.0.0.1:0")
    assert server.cfg.settings["control_socket_disable"].get() is True
    assert server.cfg.threads * server.cfg.workers >= settings.threads


def test_a_server_answers_until_it_is_told_to_stop_and_speaks_json(environ: Mapping[str, str]) -> None:
    port = free_port()
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = [json.loads(next(server.stdout))]
        while not said[-1]["event"].startswith("Listening"):
            said.append(json.loads(next(server.stdout)))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            ready = json.load(answer)["ready"]
        server.send_signal(signal.SIGTERM)
        said += [json.loads(line) for line in server.stdout]
    assert (ready, server.returncode) == (True, 0)
    assert [each["route"] for each in said if each["event"] == "request"] == ["/health/ready"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
