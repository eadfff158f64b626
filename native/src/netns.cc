// SPDX-License-Identifier: Apache-2.0
// Work inside another network namespace, on a thread that ends with it.
#include "netns.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace kerngate {
namespace {

struct Task {
  const std::string& path;
  const std::function<int()>& work;
  int result;
};

// The namespace one is in already needs no setns, and so no CAP_SYS_ADMIN.
bool IsHere(int fd) {
  struct stat there = {};
  struct stat here = {};
  return fstat(fd, &there) == 0 && stat("/proc/thread-self/ns/net", &here) == 0 && there.st_ino == here.st_ino &&
         there.st_dev == here.st_dev;
}

int Enter(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno;
  const int err = IsHere(fd) || setns(fd, CLONE_NEWNET) == 0 ? 0 : errno;
  close(fd);
  return err;
}

void* Body(void* data) {
  auto* task = static_cast<Task*>(data);
  const int err = Enter(task->path);
  task->result = err != 0 ? err : task->work();
  return nullptr;
}

}  // namespace

int RunInNetns(const std::string& path, const std::function<int()>& work) {
  Task task = {path, work, 0};
  pthread_t thread;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // Inherited by the thread: a signal is the event loop's to take, and no call of ours ends early by one.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int err = pthread_create(&thread, nullptr, Body, &task);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (err != 0) return err;
  pthread_join(thread, nullptr);
  return task.result;
}

}  // namespace kerngate
