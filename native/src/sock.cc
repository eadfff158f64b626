// SPDX-License-Identifier: Apache-2.0
// Sockets for JavaScript: list and destroy them in any network namespace off the loop; mark one of another process.
#include <bpf/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "addon.h"
#include "args.h"
#include "diag.h"
#include "error.h"
#include "netns.h"
#include "shape.h"

namespace kerngate {
namespace {

// What one promise waits for.
struct Job {
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  std::string netns;
  bool destroys = false;
  std::vector<SockRow> rows;
  SockList list;
  std::vector<int> results;
  int err = 0;
};

void Execute(napi_env, void* data) {
  auto* job = static_cast<Job*>(data);
  // A thread of libuv's pool only waits here: one that had changed its namespace would do others' work there.
  job->err = RunInNetns(job->netns, [job] {
    return job->destroys ? DestroySockets(job->rows.data(), job->rows.size(), &job->results)
                         : ListSockets(&job->list);
  });
}

template <class T>
Napi::Array Numbers(Napi::Env env, const std::vector<T>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); i++) array.Set(i, values[i]);
  return array;
}

Napi::Value ResultOf(Napi::Env env, const Job& job) {
  if (job.destroys) return Numbers(env, job.results);
  const size_t bytes = job.list.rows.size() * sizeof(SockRow);
  Napi::Uint8Array rows = Napi::Uint8Array::New(env, bytes);
  if (bytes > 0) memcpy(rows.Data(), job.list.rows.data(), bytes);
  Napi::Object result = Napi::Object::New(env);
  result.Set("rows", rows);
  result.Set("missing", Numbers(env, job.list.missing));
  return result;
}

// False in an environment that ends: nobody waits there, and an error could not be thrown.
bool MayRun(napi_env env) {
  napi_value probe = nullptr;
  return napi_create_object(env, &probe) == napi_ok && napi_set_named_property(env, probe, "x", probe) == napi_ok;
}

void Complete(napi_env raw, napi_status status, void* data) {
  auto* job = static_cast<Job*>(data);
  if (status == napi_ok && MayRun(raw)) {
    const Napi::Env env(raw);
    const char* what = job->destroys ? "cannot destroy sockets in " : "cannot list the sockets of ";
    if (job->err != 0) {
      napi_reject_deferred(env, job->deferred, MakeError(env, job->err, what + job->netns).Value());
    } else {
      napi_resolve_deferred(env, job->deferred, ResultOf(env, *job));
    }
  }
  napi_delete_async_work(raw, job->work);
  delete job;
}

Napi::Value Start(Napi::Env env, Job* job) {
  napi_value promise = nullptr;
  napi_value name = Napi::String::New(env, "kerngate:sockets");
  if (napi_create_async_work(env, nullptr, name, Execute, Complete, job, &job->work) != napi_ok) {
    delete job;
    return Fail(env, ENOMEM, "cannot start work on sockets");
  }
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok || napi_queue_async_work(env, job->work) != napi_ok) {
    napi_delete_async_work(env, job->work);
    delete job;
    return Fail(env, ENOMEM, "cannot start work on sockets");
  }
  return Napi::Value(env, promise);
}

Napi::Value SockDump(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string netns = args.Text(0);
  if (args.bad()) return args.Throw();
  Job* job = new Job();
  job->netns = netns;
  return Start(info.Env(), job);
}

Napi::Value SockDestroy(const Napi::CallbackInfo& info) {
  Args args(info);
  const std::string netns = args.Text(0);
  const Bytes rows = args.Data(1);
  if (args.bad()) return args.Throw();
  if (rows.size % sizeof(SockRow) != 0) return Fail(info.Env(), EINVAL, "no whole number of sockets");
  Job* job = new Job();
  job->netns = netns;
  job->destroys = true;
  job->rows.resize(rows.size / sizeof(SockRow));
  if (rows.size > 0) memcpy(job->rows.data(), rows.data, rows.size);
  return Start(info.Env(), job);
}

// A descriptor of our own for descriptor `fd` of process `pid`; -1 with errno.
int Borrow(int pid, int fd) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return -1;
  const int own = static_cast<int>(syscall(SYS_pidfd_getfd, process, fd, 0));
  const int err = errno;
  close(process);
  errno = err;
  return own;
}

// The kernel trusts the value to have the map's own size, and only this type takes a socket for a key.
bool IsSocketMap(Napi::Env env, int map, size_t value) {
  MapShape shape;
  if (!FindShape(env, map, &shape)) {
    Fail(env, errno, "descriptor " + std::to_string(map) + " is no BPF map");
    return false;
  }
  if (shape.type == BPF_MAP_TYPE_SK_STORAGE && shape.value == value) return true;
  Fail(env, EINVAL, "the map holds no values of " + std::to_string(value) + " bytes by socket");
  return false;
}

// Marks or reads the socket; answers its inode, or null when it has no mark.
Napi::Value OnSocket(const Napi::CallbackInfo& info, bool writes) {
  Args args(info);
  const int map = args.Int(0);
  const int pid = args.Int(1);
  const int fd = args.Int(2);
  const Bytes value = args.Data(3);
  if (args.bad()) return args.Throw();
  if (!IsSocketMap(info.Env(), map, value.size)) return Napi::Value();
  const std::string what = "descriptor " + std::to_string(fd) + " of process " + std::to_string(pid);
  const int own = Borrow(pid, fd);
  if (own < 0) return Fail(info.Env(), errno, "cannot reach " + what);
  struct stat file = {};
  int err = fstat(own, &file) < 0 ? errno : 0;
  if (err == 0 && !S_ISSOCK(file.st_mode)) err = ENOTSOCK;
  if (err == 0) {
    const int rc = writes ? bpf_map_update_elem(map, &own, value.data, BPF_ANY)
                          : bpf_map_lookup_elem(map, &own, value.data);
    if (rc < 0) err = errno;
  }
  close(own);
  if (err == ENOENT && !writes) return info.Env().Null();
  if (err != 0) return Fail(info.Env(), err, "cannot " + std::string(writes ? "mark " : "read the mark of ") + what);
  return Napi::Number::New(info.Env(), static_cast<double>(file.st_ino));
}

Napi::Value SockMark(const Napi::CallbackInfo& info) { return OnSocket(info, true); }
Napi::Value SockMarkOf(const Napi::CallbackInfo& info) { return OnSocket(info, false); }

}  // namespace

void BindSock(Napi::Env env, Napi::Object exports) {
  Bind<SockDump>(env, exports, "sockDump");
  Bind<SockDestroy>(env, exports, "sockDestroy");
  Bind<SockMark>(env, exports, "sockMark");
  Bind<SockMarkOf>(env, exports, "sockMarkOf");
}

}  // namespace kerngate
