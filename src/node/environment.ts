import type { LocalUser } from './local-user.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * What a session's program sees of this process's environment: all of it, as with AWS's agent, but for what is said
 * of another terminal. Another user gets nothing that is said of the agent's user, and no secrets of the agent:
 * `AWS_*`, `HAWSER_*`, and whatever has a name like one.
 *
 * @param user undefined for the agent's own
 */
export function ownEnvironment(user: LocalUser | undefined, own: Variables = process.env): Variables {
  const kept = Object.entries(own).filter(
    ([name]) => !OF_OTHER_TERMINALS.test(name) && (!user || !(OF_THE_AGENT.test(name) || SECRET.test(name))),
  );
  // Programs may know UTF-8 only when told: the session is made of it.
  return { ...Object.fromEntries(kept), LANG: own.LANG || 'C.UTF-8', ...(user && variablesOf(user)) };
}

/** AWS's agent sets `HOME` alone; the other two would say `root` where that was started from a terminal. */
function variablesOf({ name, home }: LocalUser): Variables {
  return { HOME: home, USER: name, LOGNAME: name };
}

/** Said of the terminal that the agent itself may run in; a shell in another one would believe them. */
const OF_OTHER_TERMINALS = /^(TMUX|TMUX_PANE|STY|WINDOW|WINDOWID|TERMCAP|COLUMNS|LINES)$/;
/** Its user's mail, keys, sockets and folders. */
const OF_THE_AGENT =
  /^(MAIL|OLDPWD|PWD|KRB5CCNAME|DBUS_.*|SSH_.*|SUDO_.*|XDG_.*|NODE_OPTIONS|NOTIFY_SOCKET)$/;
const SECRET =
  /^(AWS|HAWSER)_|SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|ACTIVATION|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY/i;
