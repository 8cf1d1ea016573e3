// What a listing gives for one folder, for the tests of what is made of listed files.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "imgmill/dataset/listing.h"

namespace imgmill {

inline std::vector<ListedFile> List(const std::string& folder) {
  ListOptions options;
  options.paths = {folder};
  auto lister = Lister::Open(options);
  REQUIRE(lister);
  std::vector<ListedFile> files;
  while (auto file = (*lister)->Next()) files.push_back(*std::move(file));
  return files;
}

}  // namespace imgmill
