# Runs a command on a terminal of its own: COLUMNS QUESTION ANSWER COMMAND...
# Where QUESTION is shown, ANSWER is typed. Prints what the terminal showed; exits as the command did.
import fcntl, os, pty, select, struct, sys, termios

columns, question, answer = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3].encode()
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    os.execvp(sys.argv[4], sys.argv[4:])
shown, asked = b"", not question
while True:
    # A minute without a word: it hangs.
    if not select.select([terminal], [], [], 60)[0]:
        os.kill(child, 9)
        break
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    shown += part
    if not asked and question in shown:
        asked = True
        os.write(terminal, answer)
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
