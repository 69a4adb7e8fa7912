"""A Windows that answers from a table, for what depends on its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

LOCAL = r"C:\Users\ana\AppData\Local"


@dataclass
class PretendedWindows:
    """Disks, attributes, variables and registry of a machine as a test wants them."""

    drives: dict[str, int] = field(default_factory=lambda: {"C:\\": 3, "D:\\": 3, "E:\\": 2, "R:\\": 6, "Z:\\": 4})
    systems: dict[str, str] = field(default_factory=lambda: {"C:\\": "NTFS", "D:\\": "NTFS"})
    marked: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=lambda: {"LOCALAPPDATA": LOCAL})
    onedrive: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    guid: str = "0f1e2d3c-0000-4000-8000-000000000001"
    home: str = LOCAL + r"\Programs\anular\python"
    registry: dict[str, str] = field(default_factory=dict)

    def drive_kind(self, root: str) -> int:
        return self.drives.get(root.upper(), 1)

    def file_system(self, root: str) -> str:
        return self.systems.get(root.upper(), "")

    def attributes(self, path: str) -> int:
        return self.marked.get(path, 0x10)

    def resolved(self, path: str) -> str:
        for link, target in self.links.items():
            if path.startswith(link):
                return target + path[len(link) :]
        return path

    def variable(self, name: str) -> str:
        return self.variables.get(name, "")

    def onedrive_folders(self) -> list[str]:
        return self.onedrive

    def text(self, path: str) -> str:
        return self.files.get(path, "")

    def machine_guid(self) -> str:
        return self.guid

    def python_home(self) -> str:
        return self.home

    def recall(self, name: str) -> str:
        return self.registry.get(name, "")

    def remember(self, name: str, value: str) -> None:
        self.registry[name] = value
