// SPDX-License-Identifier: Apache-2.0
// Work off the loop by Node-API's own means: no object of JavaScript is touched outside the loop's thread.
#include "job.h"

#include <cerrno>
#include <utility>

#include "error.h"

namespace kerngate {
namespace {

// What one promise waits for.
struct Job {
  napi_async_work async = nullptr;
  napi_deferred deferred = nullptr;
  std::string what;
  std::function<int()> work;
  std::function<Napi::Value(Napi::Env)> answer;
  int err = 0;
};

void Execute(napi_env, void* data) {
  auto* job = static_cast<Job*>(data);
  job->err = job->work();
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
    if (job->err != 0) {
      napi_reject_deferred(env, job->deferred, MakeError(env, job->err, job->what).Value());
    } else {
      napi_resolve_deferred(env, job->deferred, job->answer(env));
    }
  }
  napi_delete_async_work(raw, job->async);
  delete job;
}

}  // namespace

Napi::Value StartJob(Napi::Env env, const std::string& what, std::function<int()> work,
                     std::function<Napi::Value(Napi::Env)> answer) {
  Job* job = new Job();
  job->what = what;
  job->work = std::move(work);
  job->answer = std::move(answer);
  napi_value promise = nullptr;
  napi_value name = Napi::String::New(env, "kerngate:job");
  if (napi_create_async_work(env, nullptr, name, Execute, Complete, job, &job->async) != napi_ok) {
    delete job;
    return Fail(env, ENOMEM, what);
  }
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok || napi_queue_async_work(env, job->async) != napi_ok) {
    napi_delete_async_work(env, job->async);
    delete job;
    return Fail(env, ENOMEM, what);
  }
  return Napi::Value(env, promise);
}

}  // namespace kerngate
