// `imgmill models FILE...`: identifies weight files without running them; lists known networks without files.
#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "cli/session/session.h"
#include "cli/shared_flags.h"
#include "commands/model_loading.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/infer/model_runtime.h"
#include "imgmill/infer/own_models.h"
#include "imgmill/report/run_report.h"
#include "tool.h"

namespace imgmill {
namespace {

using Json = nlohmann::ordered_json;

/// 1000 x 1000 pixels.
constexpr int kMegapixelSide = 1000;

std::string TaskOf(const ModelInfo& info) {
  if (!info.score.empty()) return "score";
  if (info.compares) return "compare";
  if (info.dimension > 0) return "embed";
  return info.scale == 1 ? "restore at the same size" : "upscale x" + std::to_string(info.scale);
}

std::string Rounded(int64_t parameters) {
  char text[32];
  if (parameters >= 1'000'000) {
    std::snprintf(text, sizeof text, "%.1f million", static_cast<double>(parameters) / 1e6);
  } else {
    std::snprintf(text, sizeof text, "%lld", static_cast<long long>(parameters));
  }
  return text;
}

std::string DetectionOf(const ModelInfo& info) {
  if (info.tensors == 0) return "sure: it brings its own program";
  std::string text =
      "sure: each of its " + std::to_string(info.tensors) + " tensors has the name and shape of a layer";
  if (!info.assumed.empty()) text += "; assumed: " + info.assumed;
  return text;
}

/// Three numbers, or one where all are alike.
std::string Triple(const std::array<double, 3>& values) {
  char text[64];
  if (values[0] == values[1] && values[1] == values[2]) {
    std::snprintf(text, sizeof text, "%.4g", values[0]);
  } else {
    std::snprintf(text, sizeof text, "%.4g, %.4g, %.4g", values[0], values[1], values[2]);
  }
  return text;
}

/// In the words of those who train such networks: pixels of 0 to 1, less a mean, by a standard deviation.
std::string InputOf(const ModelInput& input) {
  const std::string side = std::to_string(input.side);
  std::string text;
  switch (input.rule) {
    case SquareRule::kSquash:
      text = "squashed to " + side + "x" + side;
      break;
    case SquareRule::kCrop:
      text = "the largest square, " + side + "x" + side;
      break;
    case SquareRule::kShorter:
      text = "shorter side " + std::to_string(input.shorter) + ", then " + side + "x" + side +
             " from the middle";
      break;
    case SquareRule::kGrid:
      text = std::to_string(input.Squares()) + " squares of " + side + "x" + side + " of the image as it is";
      break;
  }
  text += ", " + std::string(ToString(input.filter)) + (input.bgr ? ", BGR" : ", RGB");
  std::array<double, 3> mean{}, deviation{};
  for (size_t i = 0; i < 3; ++i) {
    deviation[i] = 1 / (255 * static_cast<double>(input.scale[i]));
    mean[i] = -static_cast<double>(input.shift[i]) * deviation[i];
  }
  return text + ", mean " + Triple(mean) + ", deviation " + Triple(deviation);
}

Json Facts(const std::string& path, const BatchModel& model) {
  const ModelInfo& info = model.info();
  const NumericsPlan plan = model.Plan("cpu");
  Json facts = {{"file", PrintablePath(path)},
                {"architecture", info.architecture},
                {"task", TaskOf(info)},
                {"detection", DetectionOf(info)}};
  if (!info.stored_as.empty()) {  // a program keeps its weights to itself
    facts["parameters"] = info.parameters;
    facts["stored_as"] = info.stored_as;
  }
  if (!info.taken.empty()) facts["set"] = PrintablePath(info.taken);
  if (!info.aside.empty()) {
    facts["left_aside"] = Json::array();
    for (const std::string& each : info.aside) facts["left_aside"].push_back(PrintablePath(each));
  }
  if (info.dimension > 0) {
    if (!info.score.empty()) facts["signal"] = info.score;
    facts["dimension"] = info.dimension;
    if (info.input) facts["input"] = info.input->Describe();
  } else {
    facts["scale"] = info.scale;
    facts["channels"] = info.bands;
    facts["receptive_radius"] = info.receptive_radius < 0 ? Json("global") : Json(info.receptive_radius);
    facts["tile"] = plan.tile;
    facts["overlap"] = plan.overlap;
    facts["bytes_a_megapixel"] = model.Cost(1, kMegapixelSide, kMegapixelSide, kCpuRung).bytes;
    const int side = plan.tile + 2 * plan.overlap;
    facts["bytes_a_tile"] = model.Cost(1, side, side, kCpuRung).bytes;
  }
  facts["kernels_on_cpu"] = plan.kernels;
  facts["sha256"] = info.digest;
  return facts;
}

std::string Text(const std::string& path, const BatchModel& model) {
  const ModelInfo& info = model.info();
  std::string text = PrintablePath(path) + "\n";
  const auto line = [&](const std::string& name, const std::string& value) {
    text += "  " + name + std::string(name.size() < 14 ? 14 - name.size() : 1, ' ') + value + "\n";
  };
  const Json facts = Facts(path, model);
  line("architecture", info.architecture);
  line("task", TaskOf(info));
  line("detection", DetectionOf(info));
  if (!info.stored_as.empty()) line("parameters", Rounded(info.parameters) + ", stored as " + info.stored_as);
  if (!info.taken.empty()) line("set", PrintablePath(info.taken));
  if (!info.aside.empty()) {
    std::string aside;
    for (const std::string& each : info.aside) aside += (aside.empty() ? "" : ", ") + PrintablePath(each);
    line("left aside", aside);
  }
  if (info.dimension > 0) {
    if (info.score.empty()) {
      line("vectors", std::to_string(info.dimension) + " numbers each");
    } else {
      line("signal", info.score);
    }
    if (info.input) line("input", InputOf(*info.input));
  } else {
    line("channels", info.bands == 1 ? "1 (shown each band by itself)" : std::to_string(info.bands));
    line("sees", info.receptive_radius < 0
                     ? "the whole input"
                     : std::to_string(info.receptive_radius) + " pixels around each pixel");
    line("tiles", std::to_string(facts["tile"].get<int>()) + " pixels, overlapping by " +
                      std::to_string(facts["overlap"].get<int>()));
    line("memory", FormatByteSize(facts["bytes_a_tile"].get<size_t>()) + " for a tile, " +
                       FormatByteSize(facts["bytes_a_megapixel"].get<size_t>()) +
                       " for an undivided megapixel");
  }
  line("on the CPU", facts["kernels_on_cpu"].get<std::string>());
  line("SHA-256", info.digest);
  return text;
}

class Models final : public Tool {
 public:
  explicit Models(Flags& flags) {
    flags.Footer(
        "Example:\n"
        "  imgmill models\n"
        "  imgmill models 4x-UltraSharp.pth realesr-animevideov3-x4.safetensors");
    flags
        .Add("files", files_,
             "Weight files: .safetensors, .pth, .pt, .ckpt, or own:NAME [list the known networks]")
        .Type("FILE");
    AddByteSize(flags, "--memory", shared_.memory,
                "Budget that weights are read within [the cgroup's limit, or 80 % of what is free]");
    flags.AddSwitch("--json", json_, "One JSON document on stdout");
  }

  ExitCode Run() override {
    ExitCode code = ExitCode::kDone;
    if (const Status looked = Look(code); !looked) {
      std::fprintf(stderr, "imgmill: error: %s\n", looked.error().message.c_str());
      return ExitCodeFor(looked.error());
    }
    return Print(json_ ? JsonText(document_) : text_, code);
  }

 private:
  Status Look(ExitCode& code) {
    MemoryOptions options;
    options.host_budget = shared_.memory;
    std::unique_ptr<MemoryManager> manager = TRY(MemoryManager::Create(options));
    std::unique_ptr<ModelRuntime> models;
    StopFlag stop;
    shared_.device = "cpu";
    CommandServices services;
    services.shared = &shared_;
    services.memory = manager.get();
    services.models = &models;
    services.stop = &stop;
    ModelRuntime* const runtime = TRY(services.OpenModels());
    if (files_.empty()) {
      List(runtime->Known());
      return {};
    }
    document_["models"] = Json::array();
    for (const std::string& file : files_) {
      const Status seen = LookAt(file, services, *runtime);
      if (seen) continue;
      std::fprintf(stderr, "imgmill: error: %s\n", seen.error().message.c_str());
      document_["models"].push_back({{"file", PrintablePath(file)}, {"error", seen.error().message}});
      code = files_.size() == 1 ? ExitCodeFor(seen.error()) : ExitCode::kSomeFailed;
    }
    return {};
  }

  Status LookAt(const std::string& file, CommandServices& services, ModelRuntime& runtime) {
    std::string path = TRY(ModelPath(file));
    std::shared_ptr<BatchModel> model =
        TRY(LoadGuarded<BatchModel>(services, path, "look", [&] { return runtime.LoadToLook(path); }));
    text_ += (text_.empty() ? "" : "\n") + Text(path, *model);
    document_["models"].push_back(Facts(path, *model));
    return {};
  }

  void List(const KnownArchitectures& known) {
    size_t widest = 0;
    for (const KnownArchitecture& each : known.each) widest = std::max(widest, each.name.size());
    document_["known"] = Json::array();
    for (const KnownArchitecture& each : known.each) {
      text_ += each.name + std::string(widest + 2 - each.name.size(), ' ') + each.known_by +
               (each.task == "upscale" ? "" : " (" + each.task + ")") + "\n";
      document_["known"].push_back(
          {{"architecture", each.name}, {"models", each.known_by}, {"task", each.task}});
    }
    const std::vector<std::string> own = OwnModels();
    document_["own"] = own;
    for (const std::string& name : own) text_ += name + "  comes with imgmill\n";
    if (known.left_out.empty()) return;
    document_["left_out"] = known.left_out;
    std::fprintf(stderr, "imgmill: warning: architectures that need LibTorch are not listed: %s\n",
                 known.left_out.c_str());
  }

  std::vector<std::string> files_;
  bool json_ = false;
  SharedOptions shared_;
  Json document_;
  std::string text_;
};

}  // namespace

std::unique_ptr<Tool> AddModels(Flags& flags) {
  return std::make_unique<Models>(flags);
}

}  // namespace imgmill
