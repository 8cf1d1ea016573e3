// The JSON documents that a run leaves behind, with stable names: docs/json.md describes them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/memory/memory_manager.h"
#include "imgmill/report/run_summary.h"

namespace imgmill {

/// Budgets, peaks, leases, clears, rungs and pools. Bytes unless the name says otherwise.
nlohmann::ordered_json MemoryJson(const MemoryInfo& info);

/// A run's memory in a few figures: `history.summary`.
nlohmann::ordered_json SummaryJson(const RunSummary& summary);

/// The summary, every batch, memory over time, the peaks' moments and the clears.
nlohmann::ordered_json HistoryJson(const MemoryHistory& history, const RunSummary& summary);

/// {"stage", "code", "message"}
nlohmann::ordered_json ErrorJson(const Error& error);

/// {"path", "stage", "code", "message"}
nlohmann::ordered_json FailureJson(const std::string& path, const Error& error);

/// Text of a document: UTF-8, two spaces of indentation, a newline at the end. Bytes that are no UTF-8 (out
/// of a library's message) are replaced; paths never hold any.
std::string JsonText(const nlohmann::ordered_json& document);

}  // namespace imgmill
