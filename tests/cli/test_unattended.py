"""What a run asks where nobody can be asked: in pipes, in CI."""

import json

import httpx

from tests.cli.elsewhere import Elsewhere
from tests.cli.sending import Sending, send
from tests.docs.curl import CurlLine
from tests.harness.process import ServerProcess


def told(errors: str, meaning: str) -> CurlLine:
    """Return the command that was told to bring an answer about."""
    return next(CurlLine.parse(line.split(": ", 1)[1]) for line in errors.splitlines() if line.startswith(meaning))


def do(command: CurlLine, **replaced: str) -> None:
    """Do as a line of curl says."""
    body = command.body or ""
    for words, instead in replaced.items():
        body = body.replace(words.replace("_", " "), instead)
    httpx.request(command.method, command.url, headers=command.headers, content=body).raise_for_status()


def test_a_permission_is_told_with_commands_that_give_it(shared_server: ServerProcess, session: str) -> None:
    for own, meaning, came_of_it in (
        (f"{session}a", "Allow it", "notes.txt was deleted."),
        (f"{session}d", "Deny it", "The user denied this call."),
    ):
        with Sending("/permission", "--session", own, url=shared_server.url) as sending:
            errors = sending.read_errors_until("It waits until ")

            do(told(errors, meaning))
            sent = sending.end()

        assert sent.status == 0
        assert sent.out == f"I would like to delete a file.\ndelete_file: {came_of_it}\n"
        assert 'The run asks: Allow delete_file(path="notes.txt")? Delete a file for good.\n' in sent.errors


def test_a_clarification_and_a_continuation_are_told_with_commands_that_answer_them(
    shared_server: ServerProcess, session: str
) -> None:
    with Sending("/clarify", "--session", session, url=shared_server.url) as sending:
        do(told(sending.read_errors_until("It waits until "), "Answer it"), YOUR_ANSWER="mauve")
        clarified = sending.end()
    with Sending("/continue", "--session", session, url=shared_server.url) as sending:
        do(told(sending.read_errors_until("It waits until "), "Go on"))
        continued = sending.end()

    assert (clarified.status, clarified.out) == (0, "So you like mauve.\n")
    assert (continued.status, continued.out.splitlines()[-1]) == (0, "This is iteration 5 of 5.")
    assert clarified.errors.startswith("The run asks: Which colour do you like best?\n  1 red\n  2 green\n  3 blue\n")
    assert clarified.errors.endswith("Answered elsewhere: mauve\n")


def test_a_client_tool_is_told_with_a_command_that_says_what_it_came_to(
    shared_server: ServerProcess, session: str
) -> None:
    send("hello", "--session", session, url=shared_server.url)
    tool = {"name": "open_map", "description": "Opens a map.", "parametersSchema": {"type": "object"}}
    offered = {"clientToolInput": {"clientToolHarnesses": [{"name": "maps", "tools": [tool]}]}}
    Elsewhere(shared_server.url, session).start("hi", runConfig=offered)
    with Sending("/client-tool Rome", "--session", session, "--queue", url=shared_server.url) as sending:
        errors = sending.read_errors_until("It waits until ")

        do(told(errors, "Tell what it came to"), WHAT_IT_CAME_TO="Here it is.")
        sent = sending.end()

    assert 'The run asks for the client\'s tool open_map(text="Rome").\n' in sent.errors
    assert "<- Here it is.\n" in sent.errors


def test_a_question_that_nobody_answers_in_time_is_told(shared_server: ServerProcess, session: str) -> None:
    sent = send("/hasty 0.5", "--agent", "curious", "--session", session, url=shared_server.url)

    assert sent.status == 0
    assert sent.out == "Too slow.\n"
    assert sent.errors.endswith("Nobody answered in time; the run goes on without an answer.\n")


def test_yes_allows_whatever_is_asked_permission_for(shared_server: ServerProcess, session: str) -> None:
    batch = send("/parallel", "--yes", "--session", session, url=shared_server.url)
    on = send("/continue", "--yes", "--session", session, url=shared_server.url)
    nested = send("/subagent", "--yes", "--session", session, url=shared_server.url)

    assert (batch.status, on.status, nested.status) == (0, 0, 0)
    assert batch.out.endswith("write_file: write_file.txt was written. delete_file: delete_file.txt was deleted.\n")
    assert on.out.endswith("This is iteration 5 of 5.\n")
    assert nested.out.endswith("notes.txt was deleted.\n")
    assert batch.errors.count("Allowed by --yes: ") == 3


def test_no_denies_it_and_remembers_nothing(shared_server: ServerProcess, session: str) -> None:
    denied = send("/permission", "--no", "--session", session, url=shared_server.url)
    stopped = send("/continue", "--no", "--session", session, url=shared_server.url)
    allowed = send("/permission", "--yes", "--session", session, url=shared_server.url)

    assert (denied.status, stopped.status) == (0, 0)
    assert denied.out.endswith("delete_file: Denied by `branchline send --no`.\n")
    assert "This is iteration 4" not in stopped.out
    assert allowed.out.endswith("delete_file: notes.txt was deleted.\n")


def test_events_as_json_come_without_a_word_about_questions(shared_server: ServerProcess, session: str) -> None:
    with Sending("/permission", "--session", session, "--json", url=shared_server.url) as sending:
        sending.read_until('"type":"PERMISSION_REQUEST"')

        Elsewhere(shared_server.url, session).answer(approved=True)
        sent = sending.end()

    lines = [json.loads(line) for line in sent.out.splitlines()]
    assert (sent.status, sent.errors) == (0, "")
    assert [line["type"] for line in lines] == Elsewhere(shared_server.url, session).types()[1:]


def test_yes_answers_beside_events_as_json(shared_server: ServerProcess, session: str) -> None:
    sent = send("/permission", "--session", session, "--json", "--yes", url=shared_server.url)

    types = [json.loads(line)["type"] for line in sent.out.splitlines()]
    assert sent.status == 0
    assert types == Elsewhere(shared_server.url, session).types()[1:]
    assert types.count("PERMISSION_APPROVED") == 1


def test_tools_are_told_beside_the_answer(shared_server: ServerProcess, session: str) -> None:
    sent = send("/tool", "--session", session, url=shared_server.url)

    assert sent.out.startswith("Let me look at the weather.\nget_weather: {")
    assert sent.errors == ('-> get_weather(city="Berlin")\n<- {"city":"Berlin","temperature":21,"sky":"clear"}\n')


def test_calls_that_come_to_nothing_good_say_so(shared_server: ServerProcess, session: str) -> None:
    sent = send("/odd", "--agent", "curious", "--session", session, url=shared_server.url)

    assert sent.out == "Done.\n"
    assert sent.errors == (
        '-> give(text="rm\\u202e \\u001b[2Kok\\x9bm\\nnext")\n'
        '<- {"n":1} [image/png cat.png]\n'
        "-> nothing()\n"
        "<- (nothing)\n"
        f'-> fail(where="/{"x" * 55}..., deep=[1,{{"a":null}}])\n'
        ".. fail failed and is called again (attempt 2 of 2)\n"
        "<- failed: The disk is full.\n"
        "-> slow()\n"
        "<- timed out: The tool slow took longer than the 0.05 seconds it was allowed.\n"
    )
