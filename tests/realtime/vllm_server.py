"""vLLM's own router and connection code with a made-up engine in place of the model.

    python vllm_server.py FOLDER_OF_THE_UNZIPPED_WHEEL PORT

Nothing that needs torch or a GPU is imported: `vllm/__init__` is passed over and what the realtime
modules ask of the rest is given here. The made-up engine hears as the fake server's does.
"""

from __future__ import annotations

import logging
import sys
import types
import uuid
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI

from tests.realtime.scenarios import MODEL
from tests.support.hearing import Model


def module(name: str, **content: Any) -> types.ModuleType:
    """A module that is there without having been imported."""
    made = types.ModuleType(name)
    made.__dict__.update(content)
    sys.modules[name] = made
    return made


class SamplingParams:
    """vLLM's are not needed."""

    @staticmethod
    def from_optional(**values: Any) -> dict[str, Any]:
        return values


class Engine:
    """`generate` and `abort` of vLLM's engine client."""

    async def generate(
        self, prompt: Any, sampling_params: Any, request_id: str
    ) -> AsyncIterator[SimpleNamespace]:
        model = Model()
        async for samples in prompt:
            pcm = array("h", [round(float(value) * 32768) for value in samples]).tobytes()
            for token in model.hear(pcm):
                yield self._output(token)
        for token in model.finish():
            yield self._output(token)

    @staticmethod
    def _output(text: str) -> SimpleNamespace:
        outputs = [SimpleNamespace(text=text, token_ids=[32])]
        return SimpleNamespace(outputs=outputs, prompt_token_ids=list(range(39)))

    async def abort(self, request_id: str) -> None:
        print("aborted", request_id, file=sys.stderr)


class Serving:
    """What the connection asks of vLLM's serving object."""

    model_cls = SimpleNamespace(realtime_max_tokens=1)
    engine_client = Engine()

    def _is_model_supported(self, name: str | None) -> bool:
        return not name or name == MODEL

    def create_error_response(
        self, message: str, err_type: str, status_code: int, param: str
    ) -> Any:
        from vllm.entrypoints.serve.engine.protocol import ErrorInfo, ErrorResponse

        info = ErrorInfo(message=message, type=err_type, code=int(status_code), param=param)
        return ErrorResponse(error=info)

    async def transcribe_realtime(self, audio: AsyncIterator[Any], _: Any) -> AsyncIterator[Any]:
        async for samples in audio:
            yield samples


def application(wheel: Path) -> FastAPI:
    """vLLM's router, mounted."""
    package = module("vllm", __version__="none")
    package.__path__ = [str(wheel / "vllm")]
    module("vllm.logger", init_logger=logging.getLogger)
    utils = module("vllm.utils", random_uuid=lambda: uuid.uuid4().hex)
    utils.__path__ = []
    package.__dict__["envs"] = module("vllm.envs", VLLM_MAX_AUDIO_CLIP_FILESIZE_MB=25)
    kind = SimpleNamespace(DELTA="delta")
    module("vllm.sampling_params", RequestOutputKind=kind, SamplingParams=SamplingParams)
    serving = "vllm.entrypoints.speech_to_text.realtime.serving"
    module(serving, OpenAIServingRealtime=Serving)
    from vllm.entrypoints.speech_to_text.realtime.api_router import router

    app = FastAPI()
    app.include_router(router)
    app.state.openai_serving_realtime = Serving()
    return app


if __name__ == "__main__":
    import uvicorn

    where, port = Path(sys.argv[1]), int(sys.argv[2])
    uvicorn.run(application(where), host="127.0.0.1", port=port, log_level="warning")
