// What a page of dedup has exported of a file, for tests that write decisions themselves.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dataset/test_folder.h"

namespace imgmill::process_test {

/// Of a copy of harbour.jpg, or a link to one: its digest stands in docs/apply.md as well.
/// @param path  below `where`, the decisions' folder
inline nlohmann::ordered_json DecidedHarbour(const TestFolder& where, const std::string& path,
                                             const std::string& below) {
  struct stat info {};
  REQUIRE(::stat((where / path).c_str(), &info) == 0);
  return {{"path", path},
          {"below", below},
          {"size", std::to_string(info.st_size)},
          {"mtime_ns", std::to_string(info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec)},
          {"ctime_ns", "0"},
          {"inode", "0"},
          {"digest", "7fd7fb7edf14d0abe6c254e6bfb8d7c4"}};
}

/// Writes `where`/decisions.json. @param groups  a JSON array
inline void WriteDecisions(const TestFolder& where, const nlohmann::ordered_json& groups) {
  where.Write(
      "decisions.json",
      nlohmann::ordered_json{{"schema", "imgmill-decisions/1"}, {"folder", where.path()}, {"groups", groups}}
          .dump());
}

}  // namespace imgmill::process_test
