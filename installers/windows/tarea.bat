@echo off
rem La version de anular que esta en uso, para las tareas programadas: cada argumento viene entre comillas.
setlocal EnableExtensions DisableDelayedExpansion
set "PYTHONUTF8=1"
title anular
set "RC=9"
set "VERSION="
if exist "%~dp0actual.txt" set /p VERSION=<"%~dp0actual.txt"
if not exist "%~dp0v\%VERSION%\Scripts\anular.exe" goto fin
"%~dp0v\%VERSION%\Scripts\anular.exe" %*
set "RC=%ERRORLEVEL%"
:fin
exit /b %RC%
