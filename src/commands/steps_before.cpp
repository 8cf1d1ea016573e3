// Folders by the entries that they are or would be.
#include "imgmill/commands/steps_before.h"

#include <algorithm>

#include "base/path_parts.h"
#include "imgmill/commands/command.h"

namespace imgmill {
namespace {

std::string WhereIs(const std::string& path) {
  return CanonicalOrEntry(WithoutRedundancy(path));
}

}  // namespace

bool StepsBefore::MayMake(const std::string& path) const {
  const std::string entry = WhereIs(path);
  if (!output.empty() && WhereIs(output) == entry) return true;
  return std::any_of(folders.begin(), folders.end(),
                     [&](const std::string& folder) { return IsAtOrBelow(entry, WhereIs(folder)); });
}

bool StepsBefore::MakeVectors(const std::string& maker) const {
  return std::find(vector_makers.begin(), vector_makers.end(), maker) != vector_makers.end();
}

const ChecksAhead& ChecksAhead::Of(const Command& command) {
  static const ChecksAhead kNone;
  const auto* checks = dynamic_cast<const ChecksAhead*>(&command);
  return checks != nullptr ? *checks : kNone;
}

bool StepsBefore::GiveFilesOf(const std::string& folder) const {
  return !given_in.empty() && WhereIs(given_in) == WhereIs(folder);
}

}  // namespace imgmill
