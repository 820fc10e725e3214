"""The chain of sound and words on this machine: microphone, file or pipe; engine; files."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from voxtui import paths
from voxtui.events import SYSTEM_DEFAULT, Edit, Notice, Severity
from voxtui.hook import HookConfig
from voxtui.settings import Settings
from voxtui.ui.backend import ADVISED_DELAY_MS, Abilities, CannotStartError, Choice, Listener
from voxtui.ui.options import UiOptions
from voxtui.ui.shelf import LocalShelf, Shelf
from voxtui.ui.words import broke_off

if TYPE_CHECKING:
    from voxtui.audio.source import Source
    from voxtui.engine.config import EngineConfig
    from voxtui.engine.engines import EngineInfo
    from voxtui.engine.models import Model
    from voxtui.pipeline import Pipeline, PipelineConfig

DEMO_CLIP = "demo.wav"

PipelineFactory = Callable[["PipelineConfig", Listener], "Pipeline"]


def _pipeline(config: PipelineConfig, listener: Listener) -> Pipeline:
    from voxtui.pipeline import Pipeline

    return Pipeline(config, listener)


class LocalBackend:
    """Everything on this machine: microphone, file or standard input; model; session files."""

    def __init__(
        self,
        options: UiOptions,
        settings: Settings,
        *,
        sound_fd: int | None = None,
        pipeline_factory: PipelineFactory = _pipeline,
    ) -> None:
        self._options = options
        self._settings = settings
        self._factory = pipeline_factory
        self._pipeline: Pipeline | None = None
        self._listener: Listener | None = None
        self._opening: threading.Thread | None = None
        self.shelf: Shelf = LocalShelf()
        self._source, self.source_name = self._first_source(sound_fd)
        self.hears_file = bool(self.source_name)
        self.warning = ""
        """What the settings name that is not there any more."""
        self._writer = self._first_writer()
        self._spec = self._wanted_model()
        model = self._first_model() if self._writer.needs_model else None
        self.small_model = model is not None and model.builtin
        self._engine = self._engine_config(model.path if model else None)

    # ---- setting up

    def _wanted_model(self) -> str:
        if self._options.model:
            return self._options.model
        return "tiny" if self._options.demo else self._settings.engine.model

    def _first_model(self) -> Model:
        """What is asked for; a model of the settings may have been removed."""
        try:
            return self._find(self._wanted_model())
        except CannotStartError as error:
            if self._options.model:
                raise
            self.warning = f"{error} The best that is installed is used."
            self._spec = "auto"
            return self._find("auto")

    def _first_writer(self) -> EngineInfo:
        """What is asked for; an engine of the settings may have been removed."""
        from voxtui.engine.engines import AUTO, OURS, look_at, select
        from voxtui.engine.locate import EngineMissing

        try:
            return select(self._settings, self._options.engine)
        except EngineMissing as error:
            if self._options.engine:
                raise CannotStartError(str(error)) from error
            if self._settings.engine.name not in (AUTO, OURS):
                self.warning = f"{error} The built-in engine is used."
        return look_at(OURS, self._settings)  # where it is missing the page says so

    def _find(self, spec: str) -> Model:
        from voxtui.engine.models import ModelError, find_model

        try:
            return find_model(spec)
        except ModelError as error:
            raise CannotStartError(str(error)) from error

    def _engine_config(self, model: Path | None) -> EngineConfig:
        from voxtui.engine.config import step_limit
        from voxtui.engine.engines import config_for

        options = self._options
        config = config_for(self._writer, self._settings, model)
        interval = config.interval_s if options.interval_s is None else options.interval_s
        return replace(
            config,
            delay_ms=config.delay_ms if options.delay_ms is None else options.delay_ms,
            interval_s=step_limit(interval, options.low_latency),
        )

    def _first_source(self, sound_fd: int | None) -> tuple[Callable[[], Source], str]:
        """The factory of the source, and its name when it is no microphone."""
        options = self._options
        if options.input == "-" or sound_fd is not None:
            return self._piped(sound_fd), "standard input"
        path = Path(options.input) if options.input else None
        if options.demo and path is None:
            path = paths.clips_dir() / DEMO_CLIP
            if not path.exists():
                raise CannotStartError("The demo recording is missing: install voxtui again.")
        if path is None:
            audio = self._settings.audio
            devices = audio.device if options.device is None else (options.device,)
            return self._microphone(devices, audio.gain_db), ""
        if not path.exists():
            raise CannotStartError(f"There is no file {path}.")
        return self._file(path), "demo" if options.demo and not options.input else path.name

    @staticmethod
    def _piped(sound_fd: int | None) -> Callable[[], Source]:
        def make() -> Source:
            from voxtui.audio.stdin import PcmSource

            return PcmSource(0 if sound_fd is None else sound_fd, realtime=True)

        return make

    @staticmethod
    def _file(path: Path) -> Callable[[], Source]:
        def make() -> Source:
            from voxtui.audio.files import FileSource

            return FileSource(path, realtime=True)

        return make

    @staticmethod
    def _microphone(devices: Sequence[str], gain_db: float) -> Callable[[], Source]:
        def make() -> Source:
            from voxtui.audio.microphone import MicrophoneSource

            return MicrophoneSource(devices, gain_db)

        return make

    @property
    def sessions_dir(self) -> Path:
        """Where the sessions are kept."""
        if self._options.sessions_dir is not None:
            return self._options.sessions_dir
        folder = self._settings.output.folder
        return Path(folder).expanduser() if folder else paths.sessions_dir()

    # ---- what pages ask for

    def start(self, listener: Listener) -> None:
        """`listener` hears all that happens."""
        self._listener = listener

    def open(self) -> None:
        """Open the sound, load the model; in a thread, for importing it all takes its time.

        What could not be opened is tried again.
        """
        opening = self._opening is not None and self._opening.is_alive()
        if self._pipeline is None and not opening:
            self._opening = threading.Thread(target=self._open, name="opening", daemon=True)
            self._opening.start()

    def _open(self) -> None:
        from voxtui.session.errors import SessionError

        assert self._listener is not None, "start() comes first"
        try:
            self._pipeline = self._begun(self._listener)
            self._tell_unwritten(self._listener)
        except SessionError as error:
            self._listener(Notice(Severity.ERROR, str(error)))
        except Exception as error:
            problem = f"Listening cannot begin: {type(error).__name__}: {error}."
            self._listener(Notice(Severity.ERROR, problem))
            raise

    def _tell_unwritten(self, listener: Listener) -> None:
        """Whose session broke off looks for its words."""
        from voxtui.session.errors import SessionError
        from voxtui.session.library import left_unwritten

        with contextlib.suppress(SessionError):
            left = left_unwritten(self.sessions_dir)
            if left is not None:
                told = broke_off(left.meta.started, left.pending_s)
                listener(Notice(Severity.WARNING, told))

    def _begun(self, listener: Listener) -> Pipeline:
        from voxtui.audio.hearing import HearingConfig
        from voxtui.pipeline import PipelineConfig
        from voxtui.session.aside import Keeping

        config = PipelineConfig(
            source=self._source,
            engine=self._engine,
            sessions_dir=self.sessions_dir,
            hearing=HearingConfig.of(self._settings),
            keeping=Keeping.of(self._settings),
            keep_everything=self.hears_file,
            vocabulary=paths.vocabulary_file(),
            hook=HookConfig.of(self._settings),
        )
        pipeline = self._factory(config, listener)
        pipeline.start()
        return pipeline

    @property
    def running(self) -> Pipeline | None:
        """The chain; waits until it is there. None where it cannot be opened: why was told."""
        self.open()
        if self._opening is not None:
            self._opening.join()
        return self._pipeline

    def _have(self, work: Callable[[Pipeline], object]) -> None:
        """Have the chain do something, if there is one."""
        chain = self.running
        if chain is not None:
            work(chain)

    def listen(self, on: bool) -> None:
        """Listen, or stop."""
        self._have(lambda chain: chain.listen(on))

    def hands_free(self, on: bool) -> None:
        """While listening: nothing is held."""
        if on:
            self._have(lambda chain: chain.listen(True, hands_free=True))

    def note(self, text: str, at_s: float | None, wall_time: float) -> None:
        """A note into the transcript, at a time of the sound and of the clock."""
        self._have(lambda chain: chain.note(text, at_s, wall_time))

    def edit(self, edits: Sequence[Edit]) -> None:
        """Change settled segments."""
        self._have(lambda chain: chain.edit(edits))

    def reread_vocabulary(self) -> None:
        """The rules were changed."""
        self._have(lambda chain: chain.reread_vocabulary())

    def new_session(self) -> None:
        """Begin another session."""
        self._have(lambda chain: chain.new_session())

    def use_microphone(self, devices: Sequence[str], gain_db: float) -> None:
        """Hear the first of these microphones that is there, so much louder."""
        if not self.hears_file:
            self._have(lambda chain: chain.change_source(self._microphone(devices, gain_db)))

    def use_model(self, spec: str) -> None:
        """Go on with another model. Raises CannotStartError when it is not there."""
        model = self._find(spec)
        self._spec = spec
        if self._writer.needs_model:
            self.small_model = model.builtin
            self._engine = replace(self._engine, model=model.path)
            self._have(lambda chain: chain.reload_engine(self._engine))

    def use_delay(self, delay_ms: int) -> None:
        """Listen longer, or less long, before writing."""
        self._engine = replace(self._engine, delay_ms=delay_ms)
        self._have(lambda chain: chain.configure_engine(delay_ms=delay_ms or ADVISED_DELAY_MS))

    def use_interval(self, interval_s: float) -> None:
        """Gather more or less sound before each step."""
        self._engine = replace(self._engine, interval_s=interval_s)
        self._have(lambda chain: chain.configure_engine(interval_s=interval_s))

    def use_engine(self, settings: Settings) -> None:
        """Go on with the engine of these settings. Raises CannotStartError when it is not here."""
        from voxtui.engine.engines import config_for, select
        from voxtui.engine.locate import EngineMissing

        try:
            writer = select(settings)
        except EngineMissing as error:
            raise CannotStartError(f"{error} {self._writer.title} goes on.") from error
        model = self._find(self._spec) if writer.needs_model else None
        self._writer, self._settings = writer, settings
        self.small_model = model is not None and model.builtin
        self._engine = config_for(writer, settings, model.path if model else None)
        self._have(lambda chain: chain.reload_engine(self._engine))

    def use(self, settings: Settings) -> None:
        """What is heard and what is kept, as these settings say."""
        from voxtui.audio.hearing import HearingConfig
        from voxtui.session.aside import Keeping

        self._settings = settings
        hearing, keeping = HearingConfig.of(settings), Keeping.of(settings)
        hook = HookConfig.of(settings)
        self._have(lambda chain: chain.configure(hearing, keeping, hook, self.sessions_dir))

    def microphones(self) -> list[Choice]:
        """The microphones of this machine, the system's choice first."""
        from voxtui.audio.devices import list_devices
        from voxtui.audio.source import AudioError

        found = [Choice(SYSTEM_DEFAULT, SYSTEM_DEFAULT, "whatever the system uses")]
        try:
            devices = list_devices()
        except (AudioError, OSError):
            devices = []
        for device in devices:
            found.append(Choice(device.id, device.name, device.host_api))
        return found

    def models(self) -> list[Choice]:
        """The models of this machine."""
        from voxtui.engine.models import installed_models

        found = [Choice("auto", "best installed", "the real model where it is installed")]
        found += [
            Choice(str(model.path), model.name, f"{model.size / 1e9:.1f} GB")
            for model in installed_models()
        ]
        found.append(Choice("tiny", "small model", "knows some forty words, for trying"))
        return found

    def engines(self) -> list[Choice]:
        """All engines that are known, those that are not here too."""
        from voxtui.engine.engines import AUTO, list_engines

        found = [Choice(AUTO, "auto", "What measured best on this machine, else the built-in one.")]
        for info in list_engines(self._settings):
            missing = f"Not here: {info.detail} {info.get}".strip()
            found.append(Choice(info.name, info.title, info.about if info.available else missing))
        return found

    def abilities(self) -> Abilities:
        """What the engine in use offers: ours tells it in its help."""
        from voxtui.engine.engines import OURS, Ability
        from voxtui.engine.locate import backends, precisions

        can = self._writer.can
        needed = {
            "precision": Ability.PRECISION,
            "delay_ms": Ability.DELAY,
            "alternatives": Ability.ALTERNATIVES,
        }
        lacks = {name for name, ability in needed.items() if ability not in can}
        lacks |= set() if self._writer.needs_model else {"model", "threads"}
        if self._writer.name != OURS:
            return Abilities(lacks=frozenset({*lacks, "backend"}))
        return Abilities(tuple(precisions()), tuple(backends()), frozenset(lacks))

    def close(self, timeout_s: float) -> None:
        """Wait for the last words and close the files."""
        if self._opening is not None:
            self._opening.join()
        if self._pipeline is not None:
            self._pipeline.close(timeout_s)
