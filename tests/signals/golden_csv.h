// Reads the comma-separated golden files of tests/golden, which hold no quotes.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace imgmill {

/// The rows below the header, cell by cell. Empty if there is no such file.
inline std::vector<std::vector<std::string>> ReadGolden(const std::string& name) {
  std::ifstream file(std::string(IMGMILL_SOURCE_DIR) + "/tests/golden/" + name);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::stringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
  }
  return rows;
}

}  // namespace imgmill
