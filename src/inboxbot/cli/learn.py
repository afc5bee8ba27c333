"""`inboxbot learn`."""

from __future__ import annotations

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import print_json, print_table


@click.command()
@click.option("--undo", is_flag=True, help="Go back to what was learned before.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def learn(context: Context, undo: bool, as_json: bool) -> None:
    """Learn from the kinds that staff corrected; refuses to get worse on the mails that ship with inboxbot.

    A running daemon judges by it after its next start, `once` at once.
    """
    from inboxbot.desk.learning import learn_from_corrections
    from inboxbot.desk.learning import undo as undo_last

    with context.desk() as desk:
        if undo:
            done = undo_last(desk)
            if as_json:
                print_json({"undone": done})
            else:
                click.echo("went back to what was learned before" if done else "nothing was learned yet")
            return
        if not as_json:
            click.echo("measuring on the mails that ship with inboxbot …", err=True)
        learned = learn_from_corrections(desk, now=now())
    figures = {
        "corrections": learned.corrections,
        "corrections_right": {"before": learned.right_before, "after": learned.right_after},
        "exact": {"before": learned.before.exact, "after": learned.after.exact},
        "missed": {"before": learned.before.missed, "after": learned.after.missed},
        "mails": learned.before.mails,
    }
    if as_json:
        print_json(figures)
        return
    print_table(
        ["", "before", "after", "of"],
        [
            [
                "your corrections judged right",
                str(learned.right_before),
                str(learned.right_after),
                str(learned.corrections),
            ],
            [
                "shipped mails judged exactly right",
                str(learned.before.exact),
                str(learned.after.exact),
                str(learned.before.mails),
            ],
            [
                "shipped requests missed",
                str(learned.before.missed),
                str(learned.after.missed),
                str(learned.before.mails),
            ],
        ],
    )
    click.echo("Learned. `inboxbot learn --undo` takes it back.")
