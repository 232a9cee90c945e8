//===- RecordedProfile.cpp - Profiles kept in modules ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Without it, a resumed compile would describe its binary by the defaults, and would
// ignore what is asked for too late.
//===----------------------------------------------------------------------===//
#include "RecordedProfile.h"
#include "ProfileKeys.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace rlx;

static constexpr llvm::StringLiteral kProfileAttr = "rlx.profile";

void rlx::recordProfile(ModuleOp module, const Profile &profile) {
  Builder builder(module.getContext());
  NamedAttrList values;
  for (const ProfileKey &key : getProfileKeys())
    for (const std::string &name : qualifiedNames(key, sectionOf(key)))
      values.set(name, builder.getStringAttr(profile.get(name)));
  module->setAttr(kProfileAttr, values.getDictionary(module.getContext()));
}

llvm::Expected<std::optional<Profile>> rlx::readRecordedProfile(ModuleOp module,
                                                                llvm::StringRef file) {
  Attribute recorded = module->getAttr(kProfileAttr);
  if (!recorded)
    return std::nullopt;
  auto values = dyn_cast<DictionaryAttr>(recorded);
  if (!values)
    return llvm::createStringError(file + ": attribute '" + kProfileAttr +
                                   "': expected a dictionary of strings");
  Profile profile;
  for (NamedAttribute value : values) {
    auto text = dyn_cast<StringAttr>(value.getValue());
    if (!text)
      return llvm::createStringError(file + ": attribute '" + kProfileAttr +
                                     "': expected a string for '" + value.getName().getValue() +
                                     "'");
    std::string origin = (file + ": attribute '" + kProfileAttr + "'").str();
    if (llvm::Error error = profile.applyFlag(value.getName(), text, origin))
      return std::move(error);
  }
  return profile;
}

llvm::Error rlx::checkPassedKeys(const Profile &recorded, const Profile &profile, Phase passed) {
  for (const ProfileKey &key : getProfileKeys())
    for (const std::string &name : qualifiedNames(key, sectionOf(key)))
      if (key.phase <= passed && profile.get(name) != recorded.get(name))
        return llvm::createStringError(
            llvm::formatv("{0}: '{1}' takes effect in the phase '{2}', which the module has passed "
                          "with '{3}': resume from an earlier one to have '{4}'",
                          profile.getOrigin(name), name, getPhaseInfo(key.phase).name,
                          recorded.get(name), profile.get(name))
                .str());
  return llvm::Error::success();
}
