# SPDX-License-Identifier: MIT
"""A small tree of C sources in place of the suite's, and a cache of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import locations

MAIN = '#include <stdio.h>\n#include "word.h"\nint main(void) { puts(WORD); return 0; }\n'
LISTENER = """
#include <winsock2.h>
#include <stdio.h>

int main(void) {
    WSADATA data;
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = sizeof address;
    WSAStartup(MAKEWORD(2, 2), &data);
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 5);
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\\n", ntohs(address.sin_port));
    fflush(stdout);
    SOCKET accepted = accept(listener, NULL, NULL);
    return getchar() + (int)accepted;
}
"""
"""Says its port, accepts one connection, and then waits for its standard input."""
WINDOW = """
#include <windows.h>
#include <stdio.h>

int main(void) {
    MSG message;
    HWND window = CreateWindowExA(0, "STATIC", "", 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL, NULL);
    printf("0\\n");
    do {
        fflush(stdout);
        getchar();
        BOOL posted = PostMessageA(window, WM_USER, 0, 0);
        BOOL got = posted && GetMessageA(&message, window, WM_USER, WM_USER);
        printf("%d\\n", got && IsWindow(window));
    } while (!feof(stdin));
    return 0;
}
"""


def small_tree(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let targets be made of a few lines each, in a cache below `directory`; the folder of the sources."""
    agents = directory / "agents"
    for folder in ("common", "posix", "winsock", "reference"):
        (agents / folder).mkdir(parents=True)
    (agents / "common" / "word.h").write_text('#define WORD "first"\n')
    (agents / "posix" / "main.c").write_text(MAIN)
    (agents / "winsock" / "main_api.c").write_text(LISTENER)
    (agents / "winsock" / "main_spi.c").write_text(MAIN)
    (agents / "reference" / "provider.c").write_text("__declspec(dllexport) int WSPStartup(void) { return 0; }\n")
    monkeypatch.setattr(locations, "agents", lambda: agents)
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    return agents
