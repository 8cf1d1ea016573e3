// Prints what texts become, for comparison with other programs: a JSON object a line of stdin, with its
// tokens and, where weights are given, its vector as the tower made it.
//
// Usage: text_vectors VOCABULARY TOKENS [WEIGHTS [ACTIVATION]] < lines
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "imgmill/infer/model_runtime.h"
#include "imgmill/text/clip_tokenizer.h"

using namespace imgmill;

namespace {

int Fail(const Error& error) {
  std::cerr << "text_vectors: " << error.message << "\n";
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "usage: text_vectors VOCABULARY TOKENS [WEIGHTS [ACTIVATION]] < lines\n";
    return 2;
  }
  auto manager = MemoryManager::Create({});
  if (!manager) return Fail(manager.error());
  std::unique_ptr<ModelRuntime> runtime;
  std::unique_ptr<TextModel> model;
  if (count > 3) {
    auto opened = OpenModelRuntime(**manager, 1);
    if (!opened) return Fail(opened.error());
    runtime = *std::move(opened);
    if (const auto added = runtime->AddDevices("cpu", 0); !added) return Fail(added.error());
    EmbedderRequest request;
    if (count > 4) request.activation = arguments[4];
    auto loaded = runtime->LoadTextTower(arguments[3], request);
    if (!loaded) return Fail(loaded.error());
    model = *std::move(loaded);
  }
  const auto tokenizer = ClipTokenizer::Read(arguments[1], std::stoi(arguments[2]));
  if (!tokenizer) return Fail(tokenizer.error());
  constexpr int kContext = 77;
  for (std::string line; std::getline(std::cin, line);) {
    // A JSON string a line, so that texts may hold line ends.
    const auto tokens = tokenizer->Encode(nlohmann::json::parse(line).get<std::string>(), kContext);
    if (!tokens) return Fail(tokens.error());
    nlohmann::json json = {{"tokens", tokens->ids}};
    if (model != nullptr) {
      std::vector<float> vector(static_cast<size_t>(model->info().dimension));
      if (const Status ran = model->Embed(tokens->ids, vector); !ran) return Fail(ran.error());
      json["vector"] = vector;
    }
    std::cout << json.dump() << "\n";
  }
  return 0;
}
