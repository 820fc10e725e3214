"""One line of help for each setting: what a value gains and what it costs."""

from __future__ import annotations

from voxtui.ui.backend import ADVISED_DELAY_MS, Choice

# Words in error of a hundred, average of thirteen languages, as the model's authors published.
PUBLISHED_ERRORS = {160: 12.6, 240: 10.8, 480: 8.7, 960: 7.7, 2400: 6.7}

FOLDER = "Enter types a folder: the next session is kept there."
UPSTREAM = "Enter types where the program is that you built."
SERVER = "Enter types its address: ws://HOST:8000/v1/realtime. The sound is sent there."
DAILY = "Enter types a folder: a Markdown file a day gets what settles, and later changes."
HOOK = "Enter types a command: it gets what was said when you stop; what it prints takes its place."


def device(choice: Choice) -> str:
    note = f" ({choice.note})" if choice.note else ""
    return f"Who is heard{note}."


def next_microphone(choice: Choice) -> str:
    if not choice.value:
        return "Who is heard when the one above is not there: then the system's own."
    return "Heard while the one above is not there; when that comes back, it is heard again."


def gain(choice: Choice) -> str:
    if choice.value > 12:
        return "Loud speech may clip: look at the right end of the meter."
    return "The meter shows just what is heard. Speech is good around -20 dB."


def voice(choice: Choice) -> str:
    return "The mark on the meter. What is quieter counts as silence; it is written all the same."


def pre_roll(choice: Choice) -> str:
    return "Sound kept from before you press, so that the first word is whole."


def post_roll(choice: Choice) -> str:
    return "Sound kept after you let go, so that the last word is whole."


def keep(choice: Choice) -> str:
    if choice.value == 0:
        return "The sound is deleted when a session ends with all its words. The words stay."
    if choice.value < 0:
        return "Sound takes 115 MB an hour and can be heard or written again."
    return "Older sound is deleted at the start, where its words are written. The words stay."


def model(choice: Choice) -> str:
    if choice.value == "tiny":
        return "Knows some forty words: for trying, not for dictation."
    if choice.value == "auto":
        return "The best one on this machine."
    return f"{choice.note}. Loading takes a moment; nothing is lost. G gets and checks models."


def engine(choice: Choice) -> str:
    return choice.note or "What writes the words."


def backend(choice: Choice) -> str:
    if choice.value == "cpu":
        return "The processor: exact, and it works everywhere."
    if choice.value == "gpu":
        return (
            "The graphics card: quicker where it is a good one. If it fails, the processor goes on."
        )
    return "The graphics card where it was seen to be right and quick, else the processor."


def precision(choice: Choice) -> str:
    name = str(choice.value).lower()
    if name == "auto":
        return "As the weights come, or what is quick here."
    if name.startswith("q4"):
        return "A quarter of the memory and the quickest; a few more words in error."
    if name.startswith(("q5", "q6")):
        return "A third of the memory, quick; hardly more words in error."
    if name.startswith(("q8", "int8")):
        return "Half the memory and nearly twice the speed; next to no words in error more."
    return "Just as it was trained: the most memory, the slowest."


def delay(choice: Choice) -> str:
    ms = choice.value or ADVISED_DELAY_MS
    errors = PUBLISHED_ERRORS.get(ms)
    known = f" Published errors: {errors:g} words of 100." if errors is not None else ""
    if not choice.value:
        return f"As the model advises.{known}"
    if ms < ADVISED_DELAY_MS:
        return f"Words come sooner and are less exact.{known}"
    return f"Words come later and are more exact.{known}"


def interval(choice: Choice) -> str:
    if choice.value <= 0.2:
        return "Words come at once; costs the most work."
    if choice.value <= 0.5:
        return "The most sound gathered before each step. A good middle."
    return "Words come in bursts; easiest for a slow machine."


def cores(choice: Choice) -> str:
    if not choice.value:
        return "The quickest; the fan may be heard."
    return "Leaves the others to your other programs; slower."


def alternatives(choice: Choice) -> str:
    if not choice.value:
        return "Nothing else is kept beside the word that was written."
    return "What else a word could be, for O to choose from."


def captions(choice: Choice) -> str:
    if choice.value:
        return "F shows captions in letters of four cells, to be read from afar."
    return "F shows captions in the terminal's letters, with more words at once."


def doubts(choice: Choice) -> str:
    if choice.value:
        return "Words that may be misheard are underlined. D changes it too."
    return "All words look alike. D underlines those that may be misheard."


def doubt_below(choice: Choice) -> str:
    return "Words less sure than this are underlined: more of them, or only the worst."


def hold(choice: Choice) -> str:
    return "A key held longer was forgotten, or something lies on it."


def idle(choice: Choice) -> str:
    if not choice.value:
        return "A microphone that was left open stays open."
    return "Hands-free stops when nothing was said for so long."


def pause(choice: Choice) -> str:
    if not choice.value:
        return "Hands-free writes everything, silence too: nothing is missed."
    return "Hands-free waits for a voice as loud as the mark on the meter: saves work and disk."


def bell(choice: Choice) -> str:
    return "Once when listening starts, twice when it stops: to know without looking."


def theme(choice: Choice) -> str:
    return "Dark, light, or the colours of your terminal."


def stamps(choice: Choice) -> str:
    return "The time beside each paragraph, where there is room."


def glyphs(choice: Choice) -> str:
    if choice.value:
        return "Only signs that every font has: # and - in place of blocks and dots."
    return "Blocks and dots. Choose plain if you see boxes or question marks."


def copy(choice: Choice) -> str:
    if choice.value:
        return "What you said is on the clipboard when its last word is."
    return "The copy key copies what is new since the last copy."


def hook_time(choice: Choice) -> str:
    return "A command that takes longer is ended, and the words stay as they were."
