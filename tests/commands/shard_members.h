// What a shard holds, as tar reads it.
#pragma once

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "program.h"

namespace imgmill::process_test {

/// Names of the members, in order.
inline std::vector<std::string> MembersOf(const std::string& shard) {
  const ProcessResult listed = Process({"/bin/tar", "-tf", shard}, {}).Wait();
  CHECK(listed.exit_code == 0);
  std::vector<std::string> names;
  std::istringstream lines(listed.out);
  for (std::string line; std::getline(lines, line);) names.push_back(line);
  return names;
}

}  // namespace imgmill::process_test
