/* python.exe for a python313.dll: in its own folder, or in that which pyvenv.cfg of an environment names. */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

typedef int (*main_of_python)(int, wchar_t **);

int wmain(int argc, wchar_t **argv) {
    HMODULE python = LoadLibraryW(L"python313.dll");
    if (!python) {
        wchar_t path[2048], line[2048];
        GetModuleFileNameW(0, path, 2000);
        for (int i = 0; i < 2; i++) {
            wchar_t *last = wcsrchr(path, L'\\');
            if (last) *last = 0;
        }
        wcscat(path, L"\\pyvenv.cfg");
        FILE *file = _wfopen(path, L"r");
        if (!file) return 110;
        while (fgetws(line, 2000, file)) {
            if (wcsncmp(line, L"home = ", 7)) continue;
            wchar_t *end = line + wcslen(line);
            while (end > line && (end[-1] == L'\n' || end[-1] == L'\r')) *--end = 0;
            SetDllDirectoryW(line + 7);
            wcscpy(path, line + 7);
            wcscat(path, L"\\python313.dll");
            python = LoadLibraryExW(path, 0, LOAD_WITH_ALTERED_SEARCH_PATH);
        }
        fclose(file);
    }
    if (!python) return 111;
    main_of_python begin = (main_of_python)GetProcAddress(python, "Py_Main");
    return begin ? begin(argc, argv) : 112;
}
