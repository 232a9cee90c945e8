//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// A session of the runtime, behind the interface that verification wants.

#include "RuntimeSession.h"
#include "rlx/runtime/session.h"

using namespace rlx;

namespace {

class RuntimeSession : public CompiledSession {
public:
  explicit RuntimeSession(Session session) : session(std::move(session)) {}

  llvm::Expected<std::vector<float>> prefill(llvm::ArrayRef<int32_t> ids) override {
    if (Status status = session.prefill({ids.data(), ids.size()}); !status.ok())
      return llvm::createStringError(status.message());
    return copy(session.logits());
  }

  llvm::Expected<std::vector<float>> decode(int32_t id) override {
    return copy(session.stepForced(id));
  }

private:
  static llvm::Expected<std::vector<float>> copy(const Expected<Span<const float>> &logits) {
    if (!logits.ok())
      return llvm::createStringError(logits.status().message());
    return std::vector<float>(logits->begin(), logits->end());
  }

  Session session;
};

} // namespace

llvm::Expected<std::unique_ptr<CompiledSession>>
rlx::openRuntimeSession(const std::string &path, const std::string &target) {
  ModelOptions options;
  options.target = target;
  Expected<Model> model = Model::open(path, options);
  if (!model.ok())
    return llvm::createStringError(model.status().message());
  Expected<Session> session = Session::create(*model);
  if (!session.ok())
    return llvm::createStringError(session.status().message());
  return std::make_unique<RuntimeSession>(std::move(*session));
}
