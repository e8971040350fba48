CREATE SCHEMA IF NOT EXISTS "millrace";
--> statement-breakpoint
CREATE TABLE "millrace"."feedback" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "millrace"."feedback_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"job" text NOT NULL,
	"item" integer NOT NULL,
	"tenant" text NOT NULL,
	"verdict" text NOT NULL,
	"corrected" jsonb,
	"note" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "millrace"."predictions" (
	"job" text NOT NULL,
	"item" integer NOT NULL,
	"tenant" text NOT NULL,
	"task" text NOT NULL,
	"model" text NOT NULL,
	"version" text,
	"arm" text,
	"status" text NOT NULL,
	"error" text,
	"label" text,
	"score" double precision,
	"summary" jsonb,
	"input_kind" text,
	"input_hash" text,
	"input" text,
	"input_media" text,
	"input_length" double precision,
	"queue_seconds" double precision,
	"prepare_seconds" double precision,
	"compute_seconds" double precision,
	"total_seconds" double precision,
	"batch_rows" integer,
	"trace_id" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "predictions_job_item_pk" PRIMARY KEY("job","item")
);
--> statement-breakpoint
ALTER TABLE "millrace"."feedback" ADD CONSTRAINT "feedback_job_item_predictions_job_item_fk" FOREIGN KEY ("job","item") REFERENCES "millrace"."predictions"("job","item") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "feedback_of" ON "millrace"."feedback" USING btree ("tenant","job","item","id");--> statement-breakpoint
CREATE INDEX "feedback_row" ON "millrace"."feedback" USING btree ("job","item");--> statement-breakpoint
CREATE INDEX "predictions_page" ON "millrace"."predictions" USING btree ("tenant","finished_at","job","item");--> statement-breakpoint
CREATE INDEX "predictions_model_page" ON "millrace"."predictions" USING btree ("tenant","model","finished_at","job","item");--> statement-breakpoint
CREATE INDEX "predictions_label_page" ON "millrace"."predictions" USING btree ("tenant","label","finished_at","job","item");--> statement-breakpoint
CREATE INDEX "predictions_time" ON "millrace"."predictions" USING brin ("finished_at");--> statement-breakpoint
CREATE INDEX "predictions_kept_input" ON "millrace"."predictions" USING btree ("finished_at") WHERE "millrace"."predictions"."input" is not null or "millrace"."predictions"."input_media" is not null;