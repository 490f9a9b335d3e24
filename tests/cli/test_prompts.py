"""What a run asks, asked at a terminal."""

from tests.cli.elsewhere import Elsewhere
from tests.cli.terminal import Terminal
from tests.harness.process import ServerProcess

ALLOW = "[y]es, [n]o, [a]lways, ne[v]er: "
OWN_WORDS = "A number, or words of your own: "
GO_ON = "[y]es, [n]o, or how many more: "


def test_a_call_is_made_when_it_is_allowed(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/permission", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        terminal.type("y\n")
        status = terminal.end()

    assert status == 0
    assert terminal.screen == (
        "I would like to delete a file.\n"
        '-> delete_file(path="notes.txt")\n'
        'Allow delete_file(path="notes.txt")? Delete a file for good.\n'
        "[y]es, [n]o, [a]lways, ne[v]er: y\n"
        "<- notes.txt was deleted.\n"
        "delete_file: notes.txt was deleted.\n"
    )


def test_a_call_is_not_made_when_it_is_denied_and_the_agent_is_told_why(
    shared_server: ServerProcess, session: str
) -> None:
    with Terminal("/permission", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        terminal.type("no, use the bin\n")
        status = terminal.end()

    assert status == 0
    assert terminal.screen.endswith(
        "ne[v]er: no, use the bin\n<- denied: use the bin\ndelete_file: use the bin\n"  # the agent repeats it
    )


def test_nothing_but_a_plain_yes_allows_a_call(shared_server: ServerProcess, session: str) -> None:
    unclear = ("", "  ", "yep", "y n", "yes but not now", "\x1b[A")
    with Terminal("/permission", "--session", session, url=shared_server.url) as terminal:
        for typed in unclear:
            terminal.read_until(ALLOW)
            terminal.type(f"{typed}\n")
            terminal.read_until("Say y, n, a or v;")
        terminal.read_until(ALLOW)

        terminal.type("N\n")
        terminal.end()

    assert "<- denied: The user denied this call." in terminal.screen


def test_an_answer_for_good_is_not_asked_for_again(shared_server: ServerProcess, session: str) -> None:
    for own, letter, told in (
        (f"{session}a", "a", ".. delete_file is allowed, as you said before\n<- notes.txt was deleted.\n"),
        (f"{session}v", "v", "<- denied: The user has denied all calls of this tool.\n"),
    ):
        with Terminal("/permission", "--session", own, url=shared_server.url) as terminal:
            terminal.read_until(ALLOW)
            terminal.type(f"{letter}\n")
            terminal.end()

        with Terminal("/permission", "--session", own, url=shared_server.url) as terminal:
            status = terminal.end()

        assert status == 0
        assert terminal.screen.startswith(
            f'I would like to delete a file.\n-> delete_file(path="notes.txt")\n{told}delete_file: '
        )


def test_a_batch_is_asked_one_after_the_other_each_for_its_own_call(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/parallel", "--session", session, url=shared_server.url) as terminal:
        for name, answer in (("read_file", "y"), ("write_file", "n"), ("delete_file", "y")):
            terminal.read_until(f'Allow {name}(path="{name}.txt")?')
            terminal.read_until(ALLOW)
            terminal.type(f"{answer}\n")
        status = terminal.end()

    lines = terminal.screen.splitlines()
    assert status == 0
    assert sorted(line for line in lines if line.startswith("<- ")) == [
        "<- delete_file: delete_file.txt was deleted.",
        "<- read_file: read_file.txt has 3 lines.",
        "<- write_file: denied: The user denied this call.",
    ]
    assert [line.split("? ")[0] for line in lines if line.startswith("Allow")] == [
        f'Allow {name}(path="{name}.txt")' for name in ("read_file", "write_file", "delete_file")
    ]


def test_a_clarification_is_answered_by_the_number_of_an_option(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/clarify", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(OWN_WORDS)

        terminal.type("2\n")
        terminal.end()

    assert terminal.screen == (
        "Which colour do you like best?\n"
        "  1 red\n"
        "  2 green\n"
        "  3 blue\n"
        "A number, or words of your own: 2\n"
        "So you like green.\n"
    )


def test_a_clarification_is_answered_in_words_of_ones_own(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/clarify", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(OWN_WORDS)
        terminal.type("\n")
        terminal.read_until(OWN_WORDS)

        terminal.type("ein helles Grün\n")
        terminal.end()

    assert terminal.screen.endswith("So you like ein helles Grün.\n")


def test_a_run_goes_on_past_its_limit_for_as_long_as_it_may(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/continue 9", "--session", session, url=shared_server.url) as terminal:
        for used, answer in ((3, "y"), (6, "2"), (8, "n")):
            terminal.read_until(f"Go on? All {used} iterations of the run have been used.\n{GO_ON}")
            terminal.type(f"{answer}\n")
        status = terminal.end()

    assert status == 0
    assert "This is iteration 8 of 9.\n" in terminal.screen
    assert "This is iteration 9 of 9.\n" not in terminal.screen


def test_nested_work_is_indented_and_asks_by_the_name_of_its_agent(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/subagent 2", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        terminal.type("y\n")
        status = terminal.end()

    assert status == 0
    assert terminal.screen == (
        "I let another agent do this.\n"
        '-> ask_subagent(task="/subagent 1")\n'
        "  Demo: I let another agent do this.\n"
        '  Demo -> ask_subagent(task="/permission")\n'
        "    Demo: I would like to delete a file.\n"
        '    Demo -> delete_file(path="notes.txt")\n'
        '    Demo asks: Allow delete_file(path="notes.txt")? Delete a file for good.\n'
        "    [y]es, [n]o, [a]lways, ne[v]er: y\n"
        "    Demo <- notes.txt was deleted.\n"
        "    Demo: delete_file: notes.txt was deleted.\n"
        "  Demo <- delete_file: notes.txt was deleted.\n"
        "  Demo: ask_subagent: delete_file: notes.txt was deleted.\n"
        "<- ask_subagent: delete_file: notes.txt was deleted.\n"
        "ask_subagent: ask_subagent: delete_file: notes.txt was deleted.\n"
    )


def test_what_was_typed_before_a_question_is_no_answer_to_it(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/permission", "--session", session, url=shared_server.url) as terminal:
        terminal.type("y\n")
        terminal.read_until(ALLOW)

        terminal.type("n\n")
        terminal.end()

    assert "<- denied: The user denied this call." in terminal.screen


def test_what_is_allowed_is_shown_exactly(shared_server: ServerProcess, session: str) -> None:
    with Terminal("/dangerous", "--agent", "curious", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until(ALLOW)

        terminal.type("n\n")
        terminal.end()

    assert (
        "Allow run? Runs a command.\\x1b[2K\n"
        '  command="rm\\u202e \\u001b[2Kok\\x9bm\\nnext"\n'
        f'  script="{"echo " * 40}"\n'
        f'  note="{"界" * 10}"\n'
        "[y]es, "
    ) in terminal.screen
    assert "\x1b[2K" not in terminal.raw


def test_a_client_tool_is_answered_with_a_failure_that_the_agent_can_use(
    shared_server: ServerProcess, session: str
) -> None:
    other = Elsewhere(shared_server.url, session)
    tool = {"name": "open_map", "description": "Opens a map.", "parametersSchema": {"type": "object"}}
    with Terminal("hello", "--session", session, url=shared_server.url) as terminal:
        terminal.end()
    run = other.start("hi", runConfig={"clientToolInput": {"clientToolHarnesses": [{"name": "maps", "tools": [tool]}]}})
    with Terminal("/client-tool Rome", "--session", session, "--queue", url=shared_server.url) as terminal:
        status = terminal.end()

    assert other.statuses()[run] == "completed"
    assert status == 0
    assert (
        '-> open_map(text="Rome")\n'
        'The run asks for the client\'s tool open_map(text="Rome"); this client has none and says so.\n'
        "<- failed: `branchline send` has no tools, so this call was not made;"
    ) in terminal.screen


def test_a_question_of_an_unknown_kind_is_shown_and_left_to_other_clients(
    shared_server: ServerProcess, session: str
) -> None:
    with Terminal("/review", "--agent", "curious", "--session", session, url=shared_server.url) as terminal:
        terminal.read_until("/interactions has the question.")

        Elsewhere(shared_server.url, session, agent="curious").answer(stars=4)
        status = terminal.end()

    assert status == 0
    first, second, *rest = terminal.screen.splitlines()
    assert first == 'The run asks what this client does not know: REVIEW_WANTED(title="Dune\\u001b[2K")'
    assert second.startswith("Another client has to answer it; ")
    assert rest == ["Answered elsewhere.", "4 stars."]
