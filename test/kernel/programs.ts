/** Ordinary programs, run in a cgroup: what is installed of a list, and what each says and exits with. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Services {
  readonly web: number;
  readonly tls: number;
  readonly names: number;
  /** AF_UNIX sockets: one of streams, one that takes log lines. */
  readonly local: string;
  readonly log: string;
  /** A folder of its own. */
  readonly folder: string;
}

export interface Ended {
  readonly code: number | null;
  /** Both streams; numbers, which differ from run to run, as `#`. */
  readonly said: string;
}

const PATHS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];
const where = (name: string): string | undefined =>
  PATHS.map((path) => join(path, name)).find((path) => existsSync(path));

/** Programs that speak to somebody come first; those that only read files fill up where one is missing. */
const list = ({ web, tls, names, local, log, folder }: Services): string[][] => {
  const page = `http://127.0.0.1:${web}/`;
  const text = JSON.stringify(folder);
  return [
    ['curl', '-sS', '--noproxy', '*', page],
    ['wget', '-nv', '--no-proxy', '-O', '-', page],
    [process.execPath, '-e', `fetch('${page}').then(async (r) => console.log(r.status, await r.text()))`],
    [
      process.execPath,
      '-e',
      `const r = new (require('node:dns').promises.Resolver)(); r.setServers(['127.0.0.1:${names}']);
       r.resolve4('kerngate.test').then(console.log)`,
    ],
    ['openssl', ...`s_client -quiet -tls1_2 -cipher PSK -psk c0ffee -connect 127.0.0.1:${tls}`.split(' ')],
    [
      'python3',
      '-c',
      `import socket; s = socket.create_connection(('127.0.0.1', ${web})); print(s.getpeername()[0])`,
    ],
    ['python3', '-c', 'import socket; a, b = socket.socketpair(); a.send(b"x"); print(b.recv(1))'],
    [
      'python3',
      '-c',
      `import socket; s = socket.socket(1); s.connect(${JSON.stringify(local)}); print(s.send(b"x"))`,
    ],
    ['bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${web}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; head -1 <&3`],
    ['perl', '-MIO::Socket::INET', '-e', `print IO::Socket::INET->new("127.0.0.1:${web}")->peerport`],
    ['logger', '--socket', log, 'kerngate', 'is', 'quiet'],
    ['getent', 'hosts', 'localhost'],
    ['getent', 'passwd', 'root'],
    ['ip', '-o', 'link'],
    ['ip', '-o', 'addr', 'show', 'lo'],
    ['ss', '-Hltn', `sport = :${web}`],
    ['git', '-C', folder, 'ls-remote', `file://${folder}/repository`],
    [
      'sh',
      '-c',
      `rm -rf ${text}/copy; git clone -q file://${text}/repository ${text}/copy && ls ${text}/copy`,
    ],
    ['ping', '-c1', '127.0.0.1'],
    ['nc', '-z', '127.0.0.1', String(web)],
    ['busybox', 'ping', '-c1', '127.0.0.1'],
    ['busybox', 'nc', '127.0.0.1', String(web), '-e', 'true'],
    ['rsync', '-a', `${folder}/repository/`, `${folder}/mirror/`],
    ['ps', '-o', 'comm=', '-p', '1'],
    ['ls', '-l', folder],
    ['hostname'],
    ['id'],
    ['apt-cache', 'policy', 'bash'],
    ['sqlite3', ':memory:', 'select 6*7'],
    ['tar', 'cf', '/dev/null', '-C', folder, 'repository'],
    ['find', `${folder}/repository`, '-maxdepth', '1'],
    ['df', folder],
    ['date', '+%Y'],
  ];
};

/** Makes what they work on. */
export const prepare = ({ folder }: Services): void => {
  mkdirSync(join(folder, 'repository'), { recursive: true });
  writeFileSync(join(folder, 'repository/file'), 'well\n');
  const git = (...words: string[]): void => {
    const name = ['-c', 'user.name=kerngate', '-c', 'user.email=kerngate@localhost'];
    spawnSync('git', ['-C', join(folder, 'repository'), ...name, ...words], { stdio: 'ignore' });
  };
  git('init', '-q');
  git('add', 'file');
  git('commit', '-qm', 'file');
};

/** Those that are installed. */
export const installed = (services: Services): string[][] =>
  list(services).flatMap(([name = '', ...words]) => {
    const path = existsSync(name) ? name : where(name);
    return path === undefined ? [] : [[path, ...words]];
  });

/** Runs one in a cgroup, to its end. */
export const runIn = async (cgroup: string, program: readonly string[]): Promise<Ended> => {
  const enter = ['-c', 'echo $$ > "$0/cgroup.procs"; exec "$@" 2>&1', cgroup, ...program];
  const child = spawn('sh', enter, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said: said.replace(/\d+/g, '#') };
};
