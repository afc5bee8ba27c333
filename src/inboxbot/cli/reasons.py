"""What the reason codes of ledger, held cases and waiting letters mean, in words for people."""

from __future__ import annotations

from typing import Final

REASONS: Final = {
    # judged
    "request": "a right is asked for",
    "ordinary_with_promise": "an ordinary mail, to a mailbox that promises an answer",
    "ordinary": "an ordinary mail, to a mailbox that promises nothing",
    "unsure": "not sure what is asked for; a person looks",
    "deceased": "about somebody who has died; a person looks",
    "encrypted": "encrypted, so that it cannot be read here",
    "same_mail": "the same mail was taken before",
    "before_start": "came before the start; listed, never answered",
    "entered_by_staff": "entered by staff",
    "opened_by_staff": "opened by staff",
    "opened_from_ledger": "opened by staff from the ledger",
    "opt_out": "an opt-out from marketing",
    "no_letter_drafted": "no letter could be drafted; a person writes it",
    # threads
    "followup": "belongs to a case",
    "followup_on_closed": "belongs to a case that was closed; it is open again",
    "followup_on_dismissed": "belongs to a case that was dismissed; a person looks again",
    "stranger_quotes_reference": "names a case, but comes from an address that is not part of it",
    "staff_answer": "an answer that staff sent",
    "staff_wrote_inside": "a colleague wrote to us within the case",
    "split": "became a case of its own",
    "bounce_of_ours": "a letter of ours came back",
    # robots
    "own_mail": "sent by inboxbot itself",
    "mail_loop": "goes round in a loop",
    "mail_loop_asks": "goes round in a loop, and asks for something",
    "robot_asks": "written by a machine, and asks for something; a person looks",
    "bounce_not_ours": "a delivery report that belongs to none of our letters",
    "bounce": "a delivery report",
    "autoreply": "an automatic reply",
    "list": "a mailing list or newsletter",
    "delivery_report": "a delivery report",
    "feedback_report": "a complaint report of a mail service",
    "failed_recipients": "a delivery report (it names failed recipients)",
    "mailer_daemon": "a delivery report (from a mail system)",
    "null_path_bounce_subject": "a delivery report (by its subject and empty return path)",
    "auto_replied": "an automatic reply (it says so)",
    "auto_submitted": "sent automatically (it says so)",
    "precedence_auto_reply": "an automatic reply (by its Precedence)",
    "autoreply_header": "an automatic reply (by a header)",
    "suppressed_auto_subject": "an automatic reply (by its subject)",
    "null_path_auto_subject": "an automatic reply (by its subject and empty return path)",
    "receipt_or_calendar": "a read receipt or a calendar answer",
    "reaction": "a reaction, such as a thumbs-up",
    "list_id": "a mailing list (List-Id)",
    "list_unsubscribe": "a newsletter (List-Unsubscribe)",
    "feedback_id": "a newsletter (Feedback-ID)",
    "precedence_bulk": "bulk mail (by its Precedence)",
    "loop_header": "from a mailing list (loop header)",
    "list_owner": "from the owner address of a list",
    "null_path_no_reply": "from a no-reply address with an empty return path",
    # senders
    "no_sender": "has no sender",
    "invalid_sender": "its sender is no valid address",
    "ambiguous_sender": "has more than one sender",
    "form_without_requester": "from the web form, but it does not say who wrote",
    "forward_without_sender": "passed on by staff, but it does not say who wrote",
    "spoofed_own_address": "claims to come from our own address",
    # spam
    "junk": "in the spam folder, and asks for nothing",
    "junk_may_ask": "in the spam folder, but may ask for something; a person looks",
    # faults
    "not_read": "could not be read",
    "intake_failed": "could not be taken in; a person looks",
    "too_slow": "took too long to read",
    "out_of_memory": "took too much memory to read",
    "reader_died": "reading it ended the reading process",
    "reader_failed": "reading it failed",
    "judge_failed": "judging it failed",
    "headers_too_large": "its headers are too large",
    "header_too_complex": "a header is too complex to read safely",
    "html_too_complex": "its HTML is too complex to read safely",
    "too_deep": "its parts are nested too deeply",
    "too_many_parts": "has too many parts",
    "no_header": "the server gave no header",
    "no_body": "the server gave no text",
    "server_refuses": "the server would not give it",
    "no_answer": "the server gave no answer about it",
    "inconsistent_answer": "the server's answers about it contradict each other",
    "vanished_before_fetch": "another program removed it before it could be fetched",
    # letters that wait
    "limit_per_recipient": "this person got as many letters as a day allows",
    "limit_per_hour": "as many letters went out as an hour allows",
    "mailbox_not_configured": "its mailbox is not in the settings any more",
    "server_refuses_sign_in": "the mail server refused the sign-in or could not be trusted",
    "retry_after_connect": "the mail server could not be reached",
    "retry_after_envelope": "the mail server would not take it now",
    "retry_after_body": "the mail server would not take it now, or the connection was cut",
    "retry_after_done": "the mail server would not take it now",
    "cut_before_dot": "the sending was cut off before its end",
}


def in_words(reason: str) -> str:
    """Return a reason in words; a code without words is shown as it is, with spaces."""
    return REASONS.get(reason, reason.replace("_", " "))
