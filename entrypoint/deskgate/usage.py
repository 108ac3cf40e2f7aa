"""What `deskgate --help` says. Pure."""

from typing import Final

USAGE: Final = """\
usage: deskgate COMMAND [OPTIONS]

  run [--qr] [--] [COMMAND…] the entrypoint: the desktop, then your command in the foreground
  check [--json]             the settings in force and where each came from; starts nothing
  render [DIR]               the files that run would write, secrets hidden; starts nothing
  url [--role control|view] [--ttl 30m] [--name NAME] [--qr] [--json]
                             the link of the running desktop; --ttl or --name makes a new one,
                             --once one that works once, within ten minutes
  token add [--name NAME] [--role view|control] [--ttl 30m] [--qr] [--json]
                             a new link for somebody else
  token list [--json]        names, roles, ends and viewers; never a token
  token revoke NAME          its link opens nothing any more, its viewers end
  token rotate NAME [--ttl 30m] [--qr] [--json]
                             a new link in the place of the old one
  status [--watch] [--json]  programs, their uptime and restarts, viewers of the running desktop
  restart PROGRAM…           stop programs and start them again; ends when they are ready
  logs [-f] [PROGRAM…]       the newest lines of the log; -f follows it
  health                     exit status 0 if the running desktop really works
  install [--desktop jwm|xfce|none] [--dry-run]
                             the packages that this image needs for a desktop

  --help, --version          this text, the version
Settings are environment variables; `deskgate check` lists them all.
"""
