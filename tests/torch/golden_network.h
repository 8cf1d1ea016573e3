// A network of tests/golden/networks: its tensors, what it is shown, and what its peer made of that.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/infer/model_runtime.h"
#include "torch/formula_weights.h"

namespace imgmill {

struct Golden {
  std::string name;
  size_t length = 0;  ///< of the vector; 0 where it gives images
  ModelTask task = ModelTask::kUpscale;
  FormulaWeights weights;
  int bands = 0, height = 0, width = 0;
  std::vector<int32_t> tokens;  ///< of a text, in place of an image
  std::vector<std::pair<size_t, double>> values;
};

inline Golden ReadGolden(const std::filesystem::path& path) {
  Golden golden;
  golden.name = path.stem().string();
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string kind, name, shape;
    std::getline(fields, kind, ',');
    char comma = 0;
    if (kind == "tensor") {
      double factor = 1;
      std::getline(fields, name, ',');
      std::getline(fields, shape, ',');
      fields >> factor;
      std::vector<int> sides;
      std::istringstream parts(shape);
      for (std::string side; std::getline(parts, side, 'x');) sides.push_back(std::stoi(side));
      golden.weights.Add(name, sides, name, factor);
    } else if (kind == "given") {
      std::getline(fields, name, ',');
      std::getline(fields, shape, ',');
      std::replace(shape.begin(), shape.end(), 'x', ',');
      std::vector<float> values;
      for (float value = 0; fields >> value;) values.push_back(value);
      golden.weights.AddValues(values, shape, name);
    } else if (kind == "task") {
      std::getline(fields, name, ',');
      fields >> golden.length;
      golden.task = name == "embed"   ? ModelTask::kEmbed
                    : name == "score" ? ModelTask::kScore
                                      : ModelTask::kCompare;
    } else if (kind == "input") {
      fields >> golden.bands >> comma >> golden.height >> comma >> golden.width;
    } else if (kind == "tokens") {
      for (int32_t token = 0; fields >> token;) golden.tokens.push_back(token);
    } else if (kind == "value") {
      size_t index = 0;
      double value = 0;
      fields >> index >> comma >> value;
      golden.values.emplace_back(index, value);
    }
  }
  return golden;
}

/// All of them, as body(golden).
template <typename Body>
void ForEachGolden(const Body& body) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(IMGMILL_SOURCE_DIR "/tests/golden/networks")) {
    if (entry.path().extension() != ".csv") continue;
    ++files;
    body(ReadGolden(entry.path()));
  }
  CHECK(files > 0);
}

}  // namespace imgmill
