@echo off
rem Vuelve a la version de antes, si esa puede leer el historial de envios, que no se toca.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
title Volver a la version de antes
set "RAIZ=%LOCALAPPDATA%\Programs\anular"
set "RC=1"
set "ANTES="
set "AHORA="
if exist "%RAIZ%\anterior.txt" set /p ANTES=<"%RAIZ%\anterior.txt"
if exist "%RAIZ%\actual.txt" set /p AHORA=<"%RAIZ%\actual.txt"
if not defined ANTES goto no_hay
if not exist "%RAIZ%\v\%ANTES%\Scripts\anular.exe" goto no_hay
"%RAIZ%\v\%ANTES%\Scripts\anular.exe" --version
if errorlevel 1 goto no_hay
rem La version de antes copia el historial: si no puede leerlo, porque la nueva ya lo puso al dia, no se vuelve a ella.
set "COPIAS=%LOCALAPPDATA%\anular-copias"
if not exist "%COPIAS%\" mkdir "%COPIAS%"
"%RAIZ%\v\%ANTES%\Scripts\anular.exe" backup "%COPIAS%" --all --idle
if errorlevel 1 goto no_se_lee
>"%RAIZ%\actual.txt" echo %ANTES%
>"%RAIZ%\anterior.txt" echo %AHORA%
echo Listo: desde ahora Anular abre la version %ANTES%. Para deshacerlo, abra Volver otra vez.
set "RC=0"
goto fin
:no_se_lee
echo No se volvio: el motivo esta arriba, y no se cambio nada. Si el historial ya es de la version nueva,
echo restaure antes la copia que se guardo al actualizar, en %COPIAS%
goto fin
:no_hay
echo No hay una version de antes. No se cambio nada.
:fin
if not defined SIN_PREGUNTAS pause
exit /b %RC%
