// SPDX-License-Identifier: Apache-2.0
// What Node lacks of the host: peer credentials, advisory locks, boot time, the service manager's socket.
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "addon.h"
#include "args.h"
#include "error.h"

namespace kerngate {
namespace {

Napi::Value PeerCred(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Int(0);
  if (args.bad()) return args.Throw();
  int domain = 0;
  ucred peer = {};
  socklen_t domain_size = sizeof domain;
  socklen_t peer_size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) < 0 ||
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) < 0) {
    return Fail(info.Env(), errno, "cannot read peer credentials");
  }
  // Other families answer too, with a user that is nobody; that must never be taken for an identity.
  if (domain != AF_UNIX) return Fail(info.Env(), EAFNOSUPPORT, "peer credentials need a unix socket");
  if (peer.uid == static_cast<uid_t>(-1)) return Fail(info.Env(), ENOTCONN, "the socket has no peer");
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("pid", peer.pid);
  result.Set("uid", peer.uid);
  result.Set("gid", peer.gid);
  return result;
}

Napi::Value Flock(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Int(0);
  const std::string how = args.Text(1);
  const bool wait = args.Flag(2);
  if (args.bad()) return args.Throw();
  if (how != "exclusive" && how != "unlock") return Fail(info.Env(), EINVAL, "no lock operation " + how);
  const int operation = (how == "exclusive" ? LOCK_EX : LOCK_UN) | (wait ? 0 : LOCK_NB);
  int rc = -1;
  do {
    rc = flock(fd, operation);
  } while (rc < 0 && errno == EINTR);
  if (rc == 0) return info.Env().Undefined();
  const int err = errno;
  Napi::Error error = MakeError(info.Env(), err, "cannot lock");
  // On Linux EAGAIN has the same number; flock(2) documents this name.
  if (err == EWOULDBLOCK) error.Value().Set("code", "EWOULDBLOCK");
  error.ThrowAsJavaScriptException();
  return Napi::Value();
}

Napi::Value BootNs(const Napi::CallbackInfo& info) {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return Napi::Number::New(info.Env(), static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec));
}

// The address systemd names: a path, or with a leading @ a name in the abstract space.
bool NotifyAddress(const char* name, sockaddr_un* address, socklen_t* size) {
  const size_t length = strlen(name);
  if ((name[0] != '/' && name[0] != '@') || length >= sizeof address->sun_path) return false;
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, name, length);
  if (name[0] == '@') address->sun_path[0] = '\0';
  *size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  return true;
}

Napi::Value SdNotify(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string state = args.Text(0);
  if (args.bad()) return args.Throw();
  const char* name = getenv("NOTIFY_SOCKET");
  if (name == nullptr || name[0] == '\0') return Napi::Boolean::New(info.Env(), false);
  sockaddr_un address = {};
  socklen_t size = 0;
  if (!NotifyAddress(name, &address, &size)) return Fail(info.Env(), EINVAL, "NOTIFY_SOCKET is no socket address");
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(info.Env(), errno, "cannot notify the service manager");
  const ssize_t sent =
      sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  const int err = errno;
  close(fd);
  return sent < 0 ? Fail(info.Env(), err, "cannot notify the service manager") : Napi::Boolean::New(info.Env(), true);
}

}  // namespace

void BindHost(Napi::Env env, Napi::Object exports) {
  Bind<PeerCred>(env, exports, "peerCred");
  Bind<Flock>(env, exports, "flock");
  Bind<BootNs>(env, exports, "bootNs");
  Bind<SdNotify>(env, exports, "sdNotify");
}

}  // namespace kerngate
